"""A proof that was made of what happened holds, says what happened, and is small and quick."""

from __future__ import annotations

from typing import Any

import pytest

from settlement.verify import proof_standalone as checker
from settlement.verify.proof_standalone import Check, Trusted
from tests.proof.conftest import Proven

NAMES = ("plain", "twin", "reorged", "parted", "partly", "refused")


def judged(content: bytes, **trusted: Any) -> list[Check]:
    return checker.verify(content, Trusted(**trusted))


@pytest.mark.parametrize("name", NAMES)
def test_every_check_of_a_true_proof_holds(proven: Proven, name: str) -> None:
    checks = judged(proven.files[name])

    assert [each for each in checks if each.ok is not True] == []
    assert len(checks) >= 15
