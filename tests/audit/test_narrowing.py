"""What narrows the trail: to the microsecond, by how it ended, and however long it is."""

import json
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import Engine

from settlement import audit
from settlement.audit import FIRST_PREV_HASH, Act, AuditFilter
from settlement.clock import to_micros
from settlement.store import reading, transaction
from tests.invoices.builders import NOW

AT = to_micros(NOW)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AuditFilter(since=AT + 1), [3, 2]), (AuditFilter(until=AT + 1), [1]),
        (AuditFilter(since=AT, until=AT + 2), [2, 1]), (AuditFilter(outcome="done"), [3, 1]),
        (AuditFilter(outcome="refused", hand="per_1"), []), (AuditFilter(subject="s2"), [2]),
    ],
)  # fmt: skip
def test_the_trail_is_narrowed_by_all_that_is_asked(
    engine: Engine, wanted: AuditFilter, found: list[int]
) -> None:
    with transaction(engine) as session:
        for number, outcome in enumerate(("done", "refused", "done")):
            hand = f"per_{number + 1}"
            act = Act(hand, "admin", "act", (f"s{number + 1}",), outcome)
            audit.record(session, act, NOW + timedelta(microseconds=number))

    with reading(engine) as session:
        assert [each.seq for each in audit.page(session, wanted, limit=9)] == found


def test_the_whole_trail_is_read_and_every_event_names_the_one_before(engine: Engine) -> None:
    with transaction(engine) as session:
        for _ in range(2_100):
            audit.record(session, Act("per_1", "admin", "act"), NOW)

    with reading(engine) as session:
        found = list(audit.every(session, AuditFilter()))

    assert [each.seq for each in found] == list(range(1, 2_101))
    hashes = [FIRST_PREV_HASH, *(each.hash for each in found)]
    assert [each.prev_hash for each in found] == hashes[:-1]
    assert len(set(hashes)) == len(hashes)


def test_an_events_hash_is_over_the_one_before_and_all_that_is_stored(engine: Engine) -> None:
    with transaction(engine) as session:
        for word in ("one", "zwölf"):
            act = Act("per_1", "admin", word, ("s1",), origin="192.0.2.1", problem=None, repeated=3)
            audit.record(session, act, NOW)

    with reading(engine) as session:
        found = list(audit.every(session, AuditFilter()))

    for each in found:
        plain = [each.prev_hash, each.seq, each.at, each.hand, each.role, each.key_prefix, each.act,
                 each.subjects, each.origin, each.request_id, each.idempotency_key, each.body_hash,
                 each.outcome, each.problem, each.repeated, each.changes]  # fmt: skip
        text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
        assert each.hash == sha256(text.encode()).hexdigest()
