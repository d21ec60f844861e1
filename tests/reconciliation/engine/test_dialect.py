"""What the two databases say differently means the same in both."""

import pytest
from sqlalchemy import Engine

from settlement.reconciliation.engine.dialect import log_index
from settlement.store import reading
from settlement.store.bulk import rows

BLOCK = "0x" + "ab" * 32


@pytest.mark.parametrize(
    ("source_key", "index"),
    [(f"log:{BLOCK}:0", 0), (f"log:{BLOCK}:7", 7), (f"log:{BLOCK}:123", 123),
     (f"log:{BLOCK}:45:2", 45)],
)  # fmt: skip
def test_the_logs_index_is_read_from_a_source_key(
    engine: Engine, source_key: str, index: int
) -> None:
    with reading(engine) as session:
        place = log_index(session, "k.source_key")
        found = rows(session, f"SELECT {place} FROM (SELECT ? AS source_key) k", (source_key,))

    assert found == [(index,)]
