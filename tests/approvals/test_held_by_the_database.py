"""The database itself refuses what four eyes forbid, whatever a program writes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from settlement.approvals import Approval
from settlement.clock import to_micros
from settlement.store import transaction
from tests.approvals.builders import NOW, an_approval, decided, stored


def run(engine: Engine, sql: str, **values: Any) -> None:
    with transaction(engine) as session:
        session.connection().execute(text(sql), values)


def decision(approval: Approval, **changes: Any) -> dict[str, Any]:
    return {
        "approval_id": approval.id,
        "maker": approval.maker,
        "what_hash": approval.what_hash,
        "checker": "per_ben",
        "verdict": "approve",
        "at": to_micros(NOW + timedelta(hours=1)),
        **changes,
    }


INSERT = (
    "INSERT INTO approval_decision (approval_id, maker, what_hash, checker, checker_role, verdict,"
    " reason, at) VALUES (:approval_id, :maker, :what_hash, :checker, 'approver', :verdict, 'x',"
    " :at)"
)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"checker": "per_anna"}, "four_eyes"),
        ({"maker": "per_zoe", "checker": "per_anna"}, "FOREIGN|approval_decision_of_request"),
        ({"what_hash": "f" * 64}, "FOREIGN|approval_decision_of_request"),
        ({"verdict": "perhaps"}, "verdict"),
        ({"at": to_micros(NOW + timedelta(days=30))}, "takes no decision"),
        ({"approval_id": "apr_none"}, "takes no decision"),
    ],
)
def test_the_database_refuses_a_decision_that_is_none(
    engine: Engine, change: dict[str, Any], says: str
) -> None:
    asked = an_approval(engine)

    with pytest.raises(DBAPIError, match=says):
        run(engine, INSERT, **decision(asked, **change))

    assert stored(engine, asked).decisions == ()


def test_the_database_refuses_a_second_decision_of_the_same_hand(engine: Engine) -> None:
    asked = an_approval(engine, amount_minor=6_000_000_00)
    run(engine, INSERT, **decision(asked))

    with pytest.raises(DBAPIError, match=r"approval_decision_once|UNIQUE"):
        run(engine, INSERT, **decision(asked))


def test_the_database_refuses_a_decision_about_what_has_ended(engine: Engine) -> None:
    asked = an_approval(engine)
    decided(engine, asked, verdict="refuse", reason="no")

    with pytest.raises(DBAPIError, match="takes no decision"):
        run(engine, INSERT, **decision(asked, checker="per_carla"))


@pytest.mark.parametrize(
    "change",
    [
        "state = 'approved', ended_at = 5",
        "state = 'refused', ended_at = 5",
        "terms = '{}'",
        "maker = 'per_other'",
        "needed = 0",
        "amount_minor = NULL",
        "approver_roles = '[\"treasury\"]'",
        "expires_at = expires_at + 1",
    ],
)
def test_the_database_refuses_to_change_a_request_by_hand(engine: Engine, change: str) -> None:
    asked = an_approval(engine)

    with pytest.raises(DBAPIError):
        run(engine, f"UPDATE approval_request SET {change} WHERE id = :id", id=asked.id)

    assert stored(engine, asked) == asked


@pytest.mark.parametrize("state", ["open", "refused", "withdrawn"])
def test_the_database_keeps_what_has_ended_as_it_ended(engine: Engine, state: str) -> None:
    asked = decided(engine, an_approval(engine))

    with pytest.raises(DBAPIError, match=r"stays as it ended|refused without"):
        run(
            engine,
            "UPDATE approval_request SET state = :state, ended_at = NULL WHERE id = :id",
            id=asked.id,
            state=state,
        )


@pytest.mark.parametrize("table", ["approval_request", "approval_decision"])
def test_the_database_deletes_no_approval(engine: Engine, table: str) -> None:
    decided(engine, an_approval(engine))

    with pytest.raises(DBAPIError):
        run(engine, f"DELETE FROM {table}")


def test_the_database_takes_no_request_that_begins_approved(engine: Engine) -> None:
    asked = an_approval(engine)

    with pytest.raises(DBAPIError, match="begins open"):
        run(
            engine,
            "INSERT INTO approval_request (id, kind, subject, terms, what_hash, maker, maker_role,"
            " approver_roles, needed, matrix_version, state, reason, created_at, expires_at,"
            " ended_at) SELECT 'apr_2', kind, 'stl_9', terms, what_hash, maker, maker_role,"
            " approver_roles, needed, matrix_version, 'approved', reason, created_at, expires_at,"
            " created_at FROM approval_request WHERE id = :id",
            id=asked.id,
        )
