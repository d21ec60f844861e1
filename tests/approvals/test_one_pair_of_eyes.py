"""One person with two keys is one pair of eyes wherever two are needed: in words, and by SQL."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from settlement.approvals import hand_of, same_hand
from settlement.store import transaction

MAKER, SAME, OTHER = "treasury:per_anna", "approver:per_anna", "approver:per_ben"


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
    made, decided = MADE[table]
    with transaction(engine) as session:
        if table.startswith("break"):
            session.connection().execute(text(BREAK))
        session.connection().execute(text(made))

    with pytest.raises(DBAPIError, match="his own hand"), transaction(engine) as session:
        session.connection().execute(text(decided), {"who": SAME})
    with transaction(engine) as session:
        assert session.connection().execute(text(decided), {"who": OTHER}).rowcount == 1
