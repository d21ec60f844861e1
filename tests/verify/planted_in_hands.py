"""What can be broken in who did and approved what."""

from __future__ import annotations

from settlement.audit.acts import Act, row_of
from tests.verify.conftest import Patient
from tests.verify.planting import Planted, sql

_LARGE = "(SELECT subject FROM approval_request WHERE kind = 'settlement')"


def _rewritten(patient: Patient) -> None:
    """Exchange an event for another with a right hash of its own: the next one tells."""
    prev = patient.value("SELECT prev_hash FROM audit_event WHERE seq = 3")
    row = row_of(Act("per_zoe", "admin", "act 2", ("a", "b2")), seq=3, at=1, prev_hash=prev)
    patient.harm(f"UPDATE audit_event SET hand = 'per_zoe', role = 'admin', at = 1,"
                 f" hash = '{row[-1]}' WHERE seq = 3")  # fmt: skip


def _key(prefix: str, rotated_from: str = "NULL") -> str:
    """Return what stores a key, rotated from another."""
    columns = "prefix, key_hash, role, scopes, label, issued_by, revoked_by, created_at"
    values = f"'{prefix}', '{prefix}', 'treasury', '', '', '', '', 0"
    return f"INSERT INTO api_key ({columns}, rotated_from) VALUES ({values}, {rotated_from})"


IN_HANDS = (
    Planted(
        "who acted is exchanged in the trail",
        sql("UPDATE audit_event SET hand = 'per_zoe' WHERE seq = 3"),
        ("AUDIT",),
    ),
    Planted("an event is exchanged with its hash", _rewritten, ("AUDIT",)),
    Planted("an event is gone", sql("DELETE FROM audit_event WHERE seq = 3"), ("AUDIT",)),
    Planted(
        "an event is gone and the rest moved up",
        sql(
            "DELETE FROM audit_event WHERE seq = 3",
            "UPDATE audit_event SET seq = -seq WHERE seq > 3",
            "UPDATE audit_event SET seq = -seq - 1 WHERE seq < 0",
            "DELETE FROM audit_subject WHERE seq = 3",
            "UPDATE audit_subject SET seq = seq - 1 WHERE seq > 3",
        ),
        ("AUDIT",),
    ),
    Planted(
        "two events have changed places",
        sql(
            "UPDATE audit_event SET seq = -2 WHERE seq = 2",
            "UPDATE audit_event SET seq = 2 WHERE seq = 3",
            "UPDATE audit_event SET seq = 3 WHERE seq = -2",
        ),
        ("AUDIT",),
    ),
    Planted("the newest events are gone", sql("DELETE FROM audit_event WHERE seq > 4"), ("AUDIT",)),
    Planted(
        "an event cannot be found by its subject any more",
        sql("DELETE FROM audit_subject WHERE subject = 'b2'"),
        ("AUDIT",),
    ),
    Planted(
        "a payment is called approved that nobody approved",
        sql(
            "DELETE FROM approval_decision",
            "UPDATE approval_request SET state = 'open', ended_at = NULL",
        ),
        ("APPROVED",),
    ),
    Planted(
        "the maker has approved it himself",
        sql("UPDATE approval_decision SET checker = maker"),
        ("APPROVED",),
    ),
    Planted(
        "the key that the maker's was rotated to has approved it",
        sql(
            _key("stk_one"),
            _key("stk_two", "'stk_one'"),
            "UPDATE approval_decision SET maker = 'treasury:stk_one', checker = 'stk_two'",
            "UPDATE approval_request SET maker = 'treasury:stk_one'",
            "UPDATE settlement SET approved_by = 'stk_two'"
            f" WHERE id = {_LARGE} AND approved_by IS NOT NULL",
        ),
        ("APPROVED",),
    ),
    Planted(
        "an approval was for less than it needs",
        sql("UPDATE approval_request SET needed = 2"),
        ("APPROVED",),
    ),
    Planted(
        "the terms are others than were approved",
        sql("UPDATE approval_request SET terms = '{}'"),
        ("APPROVED",),
    ),
    Planted(
        "the day is another than was approved",
        sql(f"UPDATE settlement SET execution_date = '2026-01-01' WHERE id = {_LARGE}"),
        ("APPROVED",),
    ),
    Planted(
        "a payment was made that nobody approved",
        sql(f"UPDATE settlement SET approved_by = NULL WHERE id = {_LARGE}"),
        ("APPROVED",),
    ),
)
