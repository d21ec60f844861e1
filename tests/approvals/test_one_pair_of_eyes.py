"""One person with two keys is one pair of eyes wherever two are needed: in words, and by SQL."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from settlement.approvals import hand_of, same_hand
from settlement.store import transaction
from tests.approvals.builders import an_approval, decided

MAKER, SAME, OTHER = "treasury:per_anna", "approver:per_anna", "approver:per_ben"
FIRST, SECOND, THIRD, STRANGER = (f"stk_00000000000{number}" for number in range(1, 5))


def test_a_hand_is_who_acts_and_not_the_role() -> None:
    assert hand_of(MAKER) == "per_anna"
    assert hand_of("rail") == "rail"
    assert same_hand(MAKER, SAME)
    assert not same_hand(MAKER, OTHER)


MADE = {
    "accounting_period": (
        "INSERT INTO accounting_period (id, first_date, last_date, state, trial_sha256, head_seq,"
        f" closed_by, closed_at) VALUES ('p', '2026-10-01', '2026-10-31', 'open', 'x', 0,"
        f" '{MAKER}', 1)",
        "UPDATE accounting_period SET state = 'closed', approved_by = :who, approved_at = 2",
    ),
    "recon_rule_set": (
        "INSERT INTO recon_rule_set (version, body, sha256, author, created_at, tried, tried_at)"
        f" VALUES (9, '{{}}', 'x', '{MAKER}', 1, '{{}}', 1)",
        "UPDATE recon_rule_set SET approved_by = :who, in_force_from = 2 WHERE version = 9",
    ),
    "break_proposal": (
        "INSERT INTO break_proposal (id, break_id, act, terms, amount_minor, unit, what_hash,"
        " needed, state, reason, proposed_by, created_at) VALUES ('b', 'brk', 'adjust', '{}', 1,"
        f" 'EUR', 'x', 1, 'open', 'x', '{MAKER}', 1)",
        "UPDATE break_proposal SET state = 'approved', decided_by = :who, ended_at = 2",
    ),
    "break_decision": (
        "INSERT INTO break_proposal (id, break_id, act, terms, amount_minor, unit, what_hash,"
        " needed, state, reason, proposed_by, created_at) VALUES ('b', 'brk', 'adjust', '{}', 1,"
        f" 'EUR', 'x', 1, 'open', 'x', '{MAKER}', 1)",
        "INSERT INTO break_decision (proposal_id, proposed_by, decided_by, verdict, reason, at)"
        f" VALUES ('b', '{MAKER}', :who, 'approve', 'x', 2)",
    ),
}
BREAK = (
    "INSERT INTO settlement_break (id, kind, subject, reason, opened_at, due_at, detail, facts,"
    " severity, proposed, version, reopened_count, comment_count)"
    " VALUES ('brk', 'x', 'y', 'z', 1, 1, '{}', '', 'low', '', 1, 0, 0)"
)


@pytest.mark.parametrize("table", MADE)
def test_the_database_refuses_the_same_hand_under_another_role(engine: Engine, table: str) -> None:
    made, decide = MADE[table]
    with transaction(engine) as session:
        if table.startswith("break"):
            session.connection().execute(text(BREAK))
        session.connection().execute(text(made))

    with pytest.raises(DBAPIError, match="his own hand"), transaction(engine) as session:
        session.connection().execute(text(decide), {"who": SAME})
    with transaction(engine) as session:
        assert session.connection().execute(text(decide), {"who": OTHER}).rowcount == 1


def rotated_twice(engine: Engine) -> None:
    """A machine's key, its replacement and the next one; and a key of nobody's line."""
    with transaction(engine) as session:
        for prefix, before in ((FIRST, None), (SECOND, FIRST), (THIRD, SECOND), (STRANGER, None)):
            session.connection().execute(
                text(
                    "INSERT INTO api_key (prefix, key_hash, role, rotated_from, scopes, label,"
                    " issued_by, revoked_by, created_at)"
                    " VALUES (:prefix, 'x', 'treasury', :before, '', '', '', '', 1)"
                ),
                {"prefix": prefix, "before": before},
            )


@pytest.mark.parametrize("table", MADE)
@pytest.mark.parametrize(("maker", "same"), [(FIRST, THIRD), (THIRD, FIRST), (SECOND, THIRD)])
def test_the_database_refuses_a_later_key_of_the_same_line(
    engine: Engine, table: str, maker: str, same: str
) -> None:
    made, decide = (each.replace(MAKER, f"treasury:{maker}") for each in MADE[table])
    rotated_twice(engine)
    with transaction(engine) as session:
        if table.startswith("break"):
            session.connection().execute(text(BREAK))
        session.connection().execute(text(made))

    with pytest.raises(DBAPIError, match="own line"), transaction(engine) as session:
        session.connection().execute(text(decide), {"who": f"treasury:{same}"})
    with transaction(engine) as session:
        values = {"who": f"treasury:{STRANGER}"}
        assert session.connection().execute(text(decide), values).rowcount == 1


@pytest.mark.parametrize("by_whom", ["maker", "other_checker"])
def test_the_database_refuses_a_decision_by_a_key_of_a_line_that_has_spoken(
    engine: Engine, by_whom: str
) -> None:
    rotated_twice(engine)
    is_maker = by_whom == "maker"
    asked = an_approval(engine, amount_minor=6_000_000_00, maker=SECOND if is_maker else "per_anna")
    if not is_maker:
        decided(engine, asked, checker=SECOND)

    with pytest.raises(DBAPIError, match="own line"):
        decided(engine, asked, checker=THIRD)
    assert decided(engine, asked, checker=STRANGER).approvers[-1] == STRANGER
