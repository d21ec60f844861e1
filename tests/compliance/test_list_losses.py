"""A version that lacks much of the one in force is asked about, whatever it is that it lacks."""

from datetime import UTC, datetime

import orjson
import pytest
from sqlalchemy import Engine

from settlement.clock import counted_ids
from settlement.compliance import lists
from settlement.compliance.list_losses import Loss, losses
from settlement.store import reading, transaction
from settlement.store.bulk import rows
from tests.compliance.list_files import files

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def load(engine: Engine, content: str, *, accept_shrinking: bool = False) -> lists.Loaded:
    with transaction(engine) as session:
        ((before,),) = rows(session, "SELECT COUNT(*) FROM list_version")
        ids = counted_ids(start=1 + 1000 * before)
        return lists.load(
            session, name="ofac", content=content.encode(), ids=ids, now=NOW,
            accept_shrinking=accept_shrinking,
        )  # fmt: skip


def in_force(engine: Engine) -> str:
    with reading(engine) as session:
        (version,) = lists.versions(session)
    return version.id


def entities(*parties: dict[str, list[str]]) -> str:
    return "\n".join(
        orjson.dumps(
            {"id": f"p{place}", "schema": "Person", "target": True,
             "properties": {"name": [f"Number {place}"], **said}}
        ).decode()
        for place, said in enumerate(parties)
    )  # fmt: skip


def test_sdn_without_its_aliases_is_asked_about(engine: Engine) -> None:
    whole = load(engine, files.SDN_CSV + files.ALT_CSV)

    with pytest.raises(lists.ListShrinks) as refused:
        load(engine, files.SDN_CSV)

    assert "0 of 2 strong names" in str(refused.value)
    assert refused.value.field == "file"
    assert "shrinks" in refused.value.repair
    assert in_force(engine) == whole.version_id
    smaller = load(engine, files.SDN_CSV, accept_shrinking=True)
    assert smaller.changed == ("101", "102")


@pytest.mark.parametrize(
    ("field", "words"),
    (("alias", "strong names"), ("weakAlias", "weak names"), ("passportNumber", "identifiers"),
     ("publicKey", "wallets")),
)  # fmt: skip
def test_names_numbers_and_wallets_are_counted_as_parties_are(
    engine: Engine, field: str, words: str
) -> None:
    load(engine, entities(*({field: [f"X{n:030}"]} for n in range(20))))

    with pytest.raises(lists.ListShrinks, match=rf"\b15 of 20 {words}"):
        load(engine, entities(*({field: [f"X{n:030}"]} if n < 15 else {} for n in range(20))))

    load(engine, entities(*({field: [f"X{n:030}"]} if n < 16 else {} for n in range(20))))


def test_a_file_with_more_names_and_no_wallets_is_asked_about(engine: Engine) -> None:
    load(engine, entities({"publicKey": ["k" * 30]}, {"publicKey": ["l" * 30]}))

    with pytest.raises(lists.ListShrinks, match="0 of 2 wallets"):
        load(engine, entities(*({"alias": [f"Alias {n}"]} for n in range(30))))


def test_what_was_stored_without_counts_is_not_compared(engine: Engine) -> None:
    load(engine, files.SDN_CSV + files.ALT_CSV)
    with transaction(engine) as session:
        rows(session, "UPDATE list_version SET stats = '{}' RETURNING id")

    assert load(engine, files.SDN_CSV).changed == ("101", "102")


@pytest.mark.parametrize(
    ("then", "now", "found"),
    (
        ({"parties": 99}, {"parties": 1}, []),
        ({"parties": 100}, {"parties": 80}, []),
        ({"parties": 100}, {"parties": 79}, [Loss("parties", then=100, now=79)]),
        ({"strong_names": 9}, {"strong_names": 1}, []),
        ({"strong_names": 10}, {"strong_names": 8}, []),
        ({"strong_names": 10}, {"strong_names": 7}, [Loss("strong_names", then=10, now=7)]),
        ({"wallets": 1}, {"wallets": 0}, []),
        ({"wallets": 2}, {"wallets": 0}, [Loss("wallets", then=2, now=0)]),
        ({"links": 500}, {"links": 0}, []),
        ({}, {"wallets": 0}, []),
    ),
)
def test_a_loss_is_more_than_a_fifth_of_many_or_all_of_a_few(
    then: dict[str, int], now: dict[str, int], found: list[Loss]
) -> None:
    assert losses(then=then, now=now) == found
