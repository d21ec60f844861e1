"""Random moves by seed: nothing is signed that no live clearance covers; at length in a bench."""

from pathlib import Path

import pytest

from settlement.signer import coverage
from settlement.store import migrate, open_engine
from tests.builders.rail import a_rail
from tests.compliance.fuzzing import Fuzz

STEPS = 250


def _run(folder: Path, seed: int, steps: int = STEPS) -> tuple[Fuzz, list[str]]:
    engine = open_engine(f"sqlite:///{folder}/settle.sqlite3")
    migrate(engine)
    with a_rail(engine, folder) as rail:
        fuzz = Fuzz(rail, seed)
        faults = fuzz.run(steps)
        fuzz.signer.close()
    engine.dispose()
    return fuzz, faults


@pytest.mark.parametrize("seed", [1, 2])
def test_no_chain_transaction_is_signed_without_a_live_clearance(tmp_path: Path, seed: int) -> None:
    fuzz, faults = _run(tmp_path, seed)

    assert faults == []
    assert fuzz.signer.signed and fuzz.signer.refused, fuzz.done


def test_a_signer_that_looks_at_no_clearance_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "_require_cleared", lambda *_args, **_words: None)

    _, faults = _run(tmp_path, 1)

    assert faults
