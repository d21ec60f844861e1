"""What a compliance officer does, in short: loads lists, looks at hits, clears them."""

from collections.abc import Sequence

import orjson

from settlement.compliance import screening
from settlement.compliance.screening import deciding, records
from settlement.compliance.screening.loading import InForce
from settlement.compliance.screening.records import HitFilter
from settlement.settlements.screened import release_judged
from settlement.store import reading, transaction
from tests.builders.rail import Rail


def listed(*names: str, more: str = "") -> bytes:
    """A list in OpenSanctions' form: entries p0, p1, … of these names."""
    return b"\n".join(
        orjson.dumps(
            {
                "id": f"p{number}", "schema": "LegalEntity", "target": True,
                "properties": {"name": [name], "notes": [more] if more else []},
            }
        )
        for number, name in enumerate(names)
    )  # fmt: skip


def load(rail: Rail, content: bytes, name: str = "own") -> InForce:
    with transaction(rail.engine) as session:
        return screening.put_in_force(
            session, name=name, content=content, ids=rail.ids, now=rail.now,
            actor="compliance:per_1",
        )  # fmt: skip


def hits(rail: Rail, state: str = "") -> Sequence[records.Hit]:
    """Those on names and wallets: each company's own holding has a name like it."""
    with reading(rail.engine) as session:
        found = records.hits(session, HitFilter(state))
    return [each for each in found if each.subject_kind != "owner"]


def clear(rail: Rail) -> None:
    with transaction(rail.engine) as session:
        for hit in records.hits(session, HitFilter("open")):
            deciding.clear(
                session, hit.id, reason="another one", actor="compliance:per_1", now=rail.now
            )
        release_judged(session, rail.now)
