"""What proves who somebody is: codes of the moment, recovery codes, passwords, and failures."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from settlement.access import Role, Vault, credentials, failures, one_time_codes, passwords, people
from settlement.access.passwords import PasswordWeak
from settlement.clock import counted_ids
from settlement.store import transaction
from tests.invoices.builders import NOW

PEPPER = b"p" * 32
VAULT = Vault(b"v" * 32)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = timedelta(seconds=one_time_codes.STEP_SECONDS)
EMAIL = "maria.keller@example.com"


def _two(session: Session) -> list[str]:
    """Register two people, both with a password; return their ids."""
    ids = counted_ids()
    made = []
    for email in ("ada@example.com", "ben@example.com"):
        wanted = people.NewPerson("Somebody", email, Role.TREASURY)
        person = people.add(
            session, VAULT, PEPPER, wanted, created_by="machine", ids=ids, now=NOW
        ).id
        credentials.set_password(session, person, "hash", must_change=False, now=NOW)
        made.append(person)
    return made


@pytest.mark.parametrize(("steps", "is_near"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_code_is_taken_one_step_early_or_late_and_no_more(steps: int, is_near: bool) -> None:
    code = pyotp.TOTP(SECRET).at(NOW + steps * STEP)

    found = one_time_codes.matching_step(SECRET, f"{code[:3]} {code[3:]}", NOW)

    assert found == (int(NOW.timestamp()) // 30 + steps if is_near else None)


def test_a_step_is_used_up_with_all_before_it(engine: Engine) -> None:
    with transaction(engine) as session:
        ada, ben = _two(session)
        assert not credentials.take_step(session, ada, 1), "nothing is confirmed"
        for person in (ada, ben):
            credentials.begin_enrolment(session, VAULT, person, NOW)
            assert credentials.confirm(session, person, 100, NOW)
        taken = [credentials.take_step(session, ada, step) for step in (100, 101, 101, 100, 99)]

        assert taken == [False, True, False, False, False]
        assert credentials.take_step(session, ben, 101), "another's codes are their own"
        assert not credentials.confirm(session, ben, 200, NOW), "once"


def test_a_secret_stays_until_it_is_forgotten_with_its_recovery_codes(engine: Engine) -> None:
    with transaction(engine) as session:
        ada, _ = _two(session)
        credentials.begin_enrolment(session, VAULT, ada, NOW)
        first = credentials.secret(session, VAULT, ada)
        credentials.begin_enrolment(session, VAULT, ada, NOW)
        assert credentials.secret(session, VAULT, ada) == first
        credentials.set_recovery_codes(session, PEPPER, ada, ["aaaa"], NOW)

        credentials.forget_second_factor(session, ada)

        assert credentials.secret(session, VAULT, ada) is None
        assert not credentials.use_recovery_code(session, PEPPER, ada, "aaaa", NOW)


def test_a_recovery_code_is_its_persons_and_good_once_until_there_are_new_ones(
    engine: Engine,
) -> None:
    with transaction(engine) as session:
        ada, ben = _two(session)
        credentials.set_recovery_codes(session, PEPPER, ada, ["aaaa", "bbbb"], NOW)

        assert not credentials.use_recovery_code(session, PEPPER, ben, "aaaa", NOW)
        used = [credentials.use_recovery_code(session, PEPPER, ada, " AAAA", NOW) for _ in "12"]
        assert used == [True, False]
        assert credentials.recovery_codes_left(session, ada) == 1
        credentials.set_recovery_codes(session, PEPPER, ada, ["cccc"], NOW)
        assert not credentials.use_recovery_code(session, PEPPER, ada, "bbbb", NOW)
        assert credentials.recovery_codes_left(session, ada) == 1


@pytest.mark.parametrize(
    ("password", "is_taken"),
    [
        ("abcdefghijk", False), ("abcdefghijkl", True), ("x" * 99 + "abcd" + "x" * 97, True),
        ("abcde" * 40 + "a", False), ("abcdabcdabcd", False), ("abcdeabcdabcd", True),
        ("Maria.Keller", False), ("Maria.Keller1", True), (EMAIL.upper(), False),
    ],
)  # fmt: skip
def test_a_password_is_long_enough_of_several_letters_and_not_the_address(
    password: str, is_taken: bool
) -> None:
    if is_taken:
        passwords.require_strong(password, EMAIL)
        return
    with pytest.raises(PasswordWeak):
        passwords.require_strong(password, EMAIL)


def _attempts(session: Session, of: list[failures.Subjects]) -> int:
    """Return how many attempts may be made, one after the other at one moment."""
    return [failures.may_try(session, each, NOW) for each in of].index(False)


def test_an_account_is_guessed_at_from_many_places_no_more_often_than_it_says(
    engine: Engine,
) -> None:
    of = [failures.subjects(PEPPER, EMAIL, f"192.0.2.{place}") for place in range(40)]
    with transaction(engine) as session:
        assert _attempts(session, of) == failures.FREE["account"] == 30


def test_an_address_guesses_at_many_accounts_no_more_often_than_it_says(engine: Engine) -> None:
    of = [failures.subjects(PEPPER, f"{place}@example.com", "192.0.2.1") for place in range(40)]
    with transaction(engine) as session:
        assert _attempts(session, of) == failures.FREE["address"] == 30


def test_one_place_guesses_at_one_account_five_times_whatever_the_letters(engine: Engine) -> None:
    of = [failures.subjects(PEPPER, email, "192.0.2.1") for email in (EMAIL, EMAIL.upper()) * 5]
    with transaction(engine) as session:
        assert _attempts(session, of) == failures.FREE["pair"] == 5


def test_who_signs_in_is_forgiven_and_their_address_keeps_what_others_did(engine: Engine) -> None:
    mine, theirs = (failures.subjects(PEPPER, email, "192.0.2.1") for email in (EMAIL, "b@c.de"))
    with transaction(engine) as session:
        for _ in range(4):
            assert failures.may_try(session, theirs, NOW)
        for _ in range(4):
            assert failures.may_try(session, mine, NOW)
        failures.forget(session, mine)
        counted = {
            row.subject: row.failures
            for row in session.connection().exec_driver_sql(
                "SELECT subject, failures FROM sign_in_failure"
            )
        }

    assert counted == {theirs["account"]: 4, theirs["pair"]: 4, mine["address"]: 7}
