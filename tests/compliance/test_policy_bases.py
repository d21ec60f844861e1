"""A draft is of the version in force that it was made on: nothing in force is undone unseen."""

import threading
from datetime import timedelta

import pytest

from settlement.compliance import policies, publishing, trying
from settlement.compliance.policy_errors import PolicyOutdated
from settlement.store import transaction
from tests.builders.rail import Rail
from tests.compliance.test_policy_versions import OWN

OTHER = OWN.replace(b"id: own", b"id: other").replace(b"OWN-01", b"OTHER-01")


def _draft(rail: Rail, files: dict[str, bytes | None]) -> int:
    with transaction(rail.engine) as session:
        made = policies.draft(session, files, note="x", actor="per_1", now=rail.now)
    return made.version


def _publish(rail: Rail, version: int, after: int = 0) -> None:
    with transaction(rail.engine) as session:
        policies.publish(
            session, version, actor="per_2",
            in_force_from=rail.now + timedelta(seconds=after), now=rail.now,
        )  # fmt: skip


def _in_force(rail: Rail) -> tuple[int, set[str]]:
    """The version in force, and which of the packs of this file are in it."""
    with transaction(rail.engine) as session:
        version = policies.in_force(session, rail.now)
        return version, {"own.yaml", "other.yaml"} & set(policies.files_of(session, version))


def test_a_draft_made_on_what_is_no_longer_in_force_is_refused(rail: Rail) -> None:
    first, second = _draft(rail, {"own.yaml": OWN}), _draft(rail, {"other.yaml": OTHER})
    with transaction(rail.engine) as session:
        trying.simulate(session, second, rail.now)
    _publish(rail, first)

    with pytest.raises(PolicyOutdated, match="not made on version 2, which is in force") as told:
        _publish(rail, second)
    with transaction(rail.engine) as session:
        with pytest.raises(PolicyOutdated):
            trying.simulate(session, second, rail.now)
        with pytest.raises(PolicyOutdated):
            publishing.ask(
                session, second, in_force_from=None, hand="per_1", role="compliance",
                reason="x", ids=rail.ids, now=rail.now,
            )  # fmt: skip

    assert "version in force" in told.value.repair
    assert _in_force(rail) == (first, {"own.yaml"}), "what was published stays"
    anew = _draft(rail, {"other.yaml": OTHER})
    assert anew not in (first, second), "the same wish on another version is another draft"
    _publish(rail, anew)
    assert _in_force(rail) == (anew, {"own.yaml", "other.yaml"})


def test_of_two_published_at_once_the_second_is_refused(rail: Rail) -> None:
    first, second = _draft(rail, {"own.yaml": OWN}), _draft(rail, {"other.yaml": OTHER})
    refused: list[Exception] = []

    def publish_second() -> None:
        try:
            _publish(rail, second)
        except PolicyOutdated as error:
            refused.append(error)

    other = threading.Thread(target=publish_second)
    with transaction(rail.engine) as session:
        policies.publish(
            session, first, actor="per_2", in_force_from=rail.now, now=rail.now
        )  # fmt: skip
        other.start()
        other.join(timeout=0.3)  # It waits for this database transaction, and reads what it left.
    other.join()

    assert len(refused) == 1
    assert _in_force(rail) == (first, {"own.yaml"})


def test_a_policy_is_rolled_back_by_a_draft_of_its_own(rail: Rail) -> None:
    with_own = _draft(rail, {"own.yaml": OWN})
    _publish(rail, with_own)
    without = _draft(rail, {"own.yaml": None})

    with transaction(rail.engine) as session:
        trial = trying.simulate(session, without, rail.now)
        first, back = policies.files_of(session, 1), policies.files_of(session, without)
    _publish(rail, without)

    assert without not in (1, with_own) and back == first
    assert trial.against == with_own
    assert _in_force(rail) == (without, set())
    forth = _draft(rail, {"own.yaml": OWN})
    _publish(rail, forth)
    assert _in_force(rail) == (forth, {"own.yaml"})


def test_what_is_in_force_is_drafted_as_itself(rail: Rail) -> None:
    version = _draft(rail, {"own.yaml": OWN})
    _publish(rail, version)

    assert _draft(rail, {"own.yaml": OWN}) == version


def test_what_is_put_in_force_takes_back_what_waited_for_its_day(rail: Rail) -> None:
    waiting, urgent = _draft(rail, {"own.yaml": OWN}), _draft(rail, {"other.yaml": OTHER})
    _publish(rail, waiting, after=3_600)

    _publish(rail, urgent)
    with transaction(rail.engine) as session:
        taken_back = policies.get(session, waiting)
    rail.later(7_200)

    assert (taken_back.state, taken_back.in_force_from) == ("draft", None)
    assert _in_force(rail) == (urgent, {"other.yaml"}), "the day that was named undoes nothing"
    with pytest.raises(PolicyOutdated):
        _publish(rail, waiting)
