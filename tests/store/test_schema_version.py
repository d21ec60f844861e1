"""Which version of the schema a program needs, and that asking costs a process little."""

import subprocess
import sys

import pytest
from alembic.script import ScriptDirectory

from settlement.store.migrate import _config, newest_version


def test_the_newest_step_is_the_one_that_alembic_ends_with() -> None:
    assert newest_version() == ScriptDirectory.from_config(_config()).get_current_head()


@pytest.mark.parametrize("part", ["gateway.worker, gateway.wiring", "gateway.app"])
def test_what_runs_for_days_carries_neither_migrations_nor_models(part: str) -> None:
    heavy = "[m for m in ('alembic', 'settlement.tables') if m in sys.modules]"
    words = f"import sys, {part}; print({heavy})"

    ran = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"
