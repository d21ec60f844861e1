"""Who asks never decides: who may, what is bound to what was seen, how a request ends."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from settlement import approvals
from settlement.approvals import ApprovalFilter
from settlement.clock import to_micros
from settlement.errors import Invalid, NotFound
from settlement.store import reading, transaction
from tests.approvals.builders import EUR, NOW, an_approval, decided, ids, stored


def test_another_person_approves_what_was_asked(engine: Engine) -> None:
    asked = an_approval(engine)

    done = decided(engine, asked)

    assert (asked.state, asked.needed, asked.approver_roles) == ("open", 1, ("approver",))
    assert done.state == "approved"
    assert done.approvers == ("per_ben",)
    assert done.ended_at == to_micros(NOW + timedelta(hours=1))


def test_a_small_amount_is_given_by_the_policy(engine: Engine) -> None:
    asked = an_approval(engine, amount_minor=249_999_99)

    assert (asked.state, asked.needed, asked.decisions) == ("approved", 0, ())


def test_the_threshold_itself_needs_an_approver(engine: Engine) -> None:
    assert an_approval(engine, amount_minor=250_000_00).needed == 1


def test_far_above_two_distinct_persons_approve(engine: Engine) -> None:
    asked = an_approval(engine, amount_minor=5_000_000_00)

    first = decided(engine, asked)
    with pytest.raises(approvals.SamePerson, match="already decided"):
        decided(engine, asked)
    second = decided(engine, asked, checker="per_carla")

    assert (asked.needed, first.state, second.state) == (2, "open", "approved")
    assert second.approvers == ("per_ben", "per_carla")


def test_the_maker_never_decides_whatever_the_key_and_role(engine: Engine) -> None:
    asked = an_approval(engine)

    with pytest.raises(approvals.SamePerson, match="asked for"):
        decided(engine, asked, checker="per_anna")

    assert stored(engine, asked) == asked


def test_a_role_that_may_not_decide_is_refused(engine: Engine) -> None:
    asked = an_approval(engine)

    with pytest.raises(approvals.NotAnApprover):
        decided(engine, asked, role="treasury")

    assert stored(engine, asked).decisions == ()


def test_a_role_that_may_not_ask_is_refused(engine: Engine) -> None:
    with pytest.raises(approvals.NoApprovalRule, match="role approver"):
        an_approval(engine, role="approver")


def test_a_kind_that_the_matrix_does_not_know_is_refused(engine: Engine) -> None:
    with pytest.raises(approvals.NoApprovalRule):
        an_approval(engine, kind="gift")


def test_what_was_not_seen_is_not_approved(engine: Engine) -> None:
    asked = an_approval(engine)

    with pytest.raises(approvals.SeenOutdated):
        decided(engine, asked, seen_hash="0" * 64)

    assert stored(engine, asked).state == "open"


def test_the_hash_covers_kind_subject_and_terms() -> None:
    terms = {"a": 1, "b": "x"}
    seen = approvals.what_hash("settlement", "stl_1", terms)

    assert seen == approvals.what_hash("settlement", "stl_1", {"b": "x", "a": 1})
    assert seen != approvals.what_hash("settlement", "stl_2", terms)
    assert seen != approvals.what_hash("payee", "stl_1", terms)
    assert seen != approvals.what_hash("settlement", "stl_1", {**terms, "a": 2})


def test_one_refusal_ends_it_and_nothing_follows(engine: Engine) -> None:
    asked = an_approval(engine, amount_minor=6_000_000_00)
    decided(engine, asked)

    done = decided(engine, asked, checker="per_carla", verdict="refuse", reason="not our order")

    assert (done.state, done.ended_reason) == ("refused", "not our order")
    with pytest.raises(approvals.ApprovalNotOpen, match="refused"):
        decided(engine, asked, checker="per_dora")


def test_a_refusal_says_why(engine: Engine) -> None:
    with pytest.raises(Invalid, match="reason"):
        decided(engine, an_approval(engine), verdict="refuse", reason=" ")


def test_only_the_maker_takes_it_back(engine: Engine) -> None:
    asked = an_approval(engine)

    with transaction(engine) as session, pytest.raises(approvals.NotTheMaker):
        approvals.withdraw(session, asked.id, maker="per_ben", reason="no", now=NOW)
    with transaction(engine) as session:
        done = approvals.withdraw(session, asked.id, maker="per_anna", reason="typo", now=NOW)

    assert done.state == "withdrawn"


def test_nobody_approves_after_its_time(engine: Engine) -> None:
    asked = an_approval(engine)
    late = NOW + timedelta(hours=168)

    with pytest.raises(approvals.ApprovalNotOpen, match="lapsed"):
        decided(engine, asked, now=late)
    with transaction(engine) as session:
        lapsed = approvals.lapse(session, late)

    assert [each.id for each in lapsed] == [asked.id]
    assert stored(engine, asked).state == "lapsed"


def test_a_subject_has_one_open_request_of_a_kind(engine: Engine) -> None:
    asked = an_approval(engine)

    with pytest.raises(approvals.ApprovalOpen, match=asked.id):
        an_approval(engine)
    other = an_approval(engine, kind="payee", amount_minor=None, unit=None)
    after = an_approval(engine, now=NOW + timedelta(days=8))

    assert (other.state, after.state) == ("open", "open")
    assert stored(engine, asked).state == "lapsed"


def test_a_change_of_the_subject_makes_the_request_void(engine: Engine) -> None:
    asked = an_approval(engine)
    other = an_approval(engine, kind="payee", amount_minor=None, unit=None)

    with transaction(engine) as session:
        ended = approvals.make_void(
            session, ["stl_1"], kind="settlement", reason="it was cancelled", now=NOW
        )

    assert ended == [asked.id]
    assert stored(engine, other).state == "open", "of another kind"
    with pytest.raises(approvals.ApprovalNotOpen, match="void"):
        decided(engine, asked)


def test_many_are_asked_for_together_or_none(engine: Engine) -> None:
    questions = [
        approvals.Question("settlement", f"stl_{number}", {"n": number}, 300_000_00, EUR)
        for number in range(3)
    ]
    with transaction(engine) as session:
        made = approvals.ask_each(
            session, questions, maker="per_anna", role="treasury", reason="due", ids=ids(), now=NOW
        )

    assert [each.subject for each in made] == ["stl_0", "stl_1", "stl_2"]
    assert {each.state for each in made} == {"open"}


def test_what_waits_for_a_hand_leaves_out_its_own_and_what_it_has_decided(engine: Engine) -> None:
    own = an_approval(engine, maker="per_ben")
    double = an_approval(engine, subject="stl_2", amount_minor=9_000_000_00)
    other = an_approval(engine, subject="stl_3")
    decided(engine, double)

    with reading(engine) as session:
        waiting = approvals.page(
            session,
            ApprovalFilter(waits_for_hand="per_ben", waits_for_role="approver"),
            limit=10,
        )
        nobodys = approvals.page(session, ApprovalFilter(waits_for_role="treasury"), limit=10)

    assert [each.id for each in waiting] == [other.id]
    assert nobodys == []
    assert own.state == "open"


def test_an_unknown_request_is_not_found(engine: Engine) -> None:
    with reading(engine) as session, pytest.raises(NotFound):
        approvals.find(session, "apr_none")
