"""One thing is broken in a healthy world, and the checker names just that: none cannot fail."""

from __future__ import annotations

import pytest

from tests.verify.conftest import Patient
from tests.verify.planted_in_books import IN_BOOKS
from tests.verify.planted_in_hands import IN_HANDS
from tests.verify.planted_in_limits import IN_LIMITS, WHOLE
from tests.verify.planted_in_work import IN_WORK
from tests.verify.planting import Planted, sql

PLANTED = (*IN_BOOKS, *IN_WORK, *IN_HANDS, *IN_LIMITS)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.what)
def test_the_checker_names_just_what_was_broken(patient: Patient, planted: Planted) -> None:
    planted.deed(patient)

    red = patient.red(*planted.flags)

    assert red == set(planted.red)


def test_a_limit_that_counts_what_is_taken_is_no_violation(patient: Patient) -> None:
    sql(*WHOLE)(patient)

    assert patient.red() == set()


def test_every_check_has_a_planted_violation(patient: Patient) -> None:
    _, answer = patient.verify("--quiescent")

    names = {check["name"] for check in answer["checks"]}

    assert names == {name for planted in PLANTED for name in planted.red}
