"""Each package can be the first that a process imports: none needs what another one brought."""

import os
import subprocess
import sys
from pathlib import Path

from settlement.compliance.policy import subject
from settlement.participants import requirements

ROOT = Path(__file__).resolve().parents[1]
# Forked from a process that has imported nothing of ours: it costs what our imports cost.
_EACH_ALONE = """
import os, sys
import alembic, fastapi, httptools, jinja2, lxml, orjson, psycopg, pydantic_settings, pyiso20022
import rapidfuzz, sqlalchemy, sqlmodel, structlog, typer, uvicorn, web3, yaml
for name in sys.argv[1:]:
    if not os.fork():
        try:
            __import__(name)
        except ImportError as error:
            os.write(1, f"{name}: {error}\\n".encode())
        os._exit(0)
    os.wait()
"""


def test_every_package_is_imported_first_without_a_circle() -> None:
    names = [
        ".".join(path.parent.relative_to(ROOT).parts)
        for room in ("settlement", "gateway")
        for path in sorted((ROOT / room).rglob("__init__.py"))
    ]
    names += ["gateway.app", "gateway.worker", "gateway.signer_process", "gateway.cli"]
    assert len(names) > 30

    done = subprocess.run(
        [sys.executable, "-c", _EACH_ALONE, *names], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True,
    )  # fmt: skip

    assert done.stdout == ""


def test_legal_forms_are_the_same_to_those_who_take_part_and_to_the_rules() -> None:
    assert requirements.FORMS == subject.FORMS
