"""Lists of names and addresses: what is read, what is refused, which version is in force."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from settlement.clock import Ids, counted_ids
from settlement.compliance import list_entries, lists, screening
from settlement.compliance.lists import ListUnreadable
from settlement.store import reading, transaction
from settlement.store.bulk import rows

NOW = datetime(2026, 11, 20, tzinfo=UTC)
WALLET = "0x" + "aB" * 20
OFAC = (
    '36,"AEROCARIBBEAN AIRLINES",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n'
    '9640,"DOE, John ""Jack""","individual",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    f'"Digital Currency Address - ETH {WALLET}; DOB 1970."\r\n'
    "\x1a"
)


@pytest.fixture
def ids() -> Iterator[Ids]:
    yield counted_ids()


def _store(engine: Engine, ids: Ids, content: str | bytes, name: str = "own") -> str | None:
    data = content.encode() if isinstance(content, str) else content
    with transaction(engine) as session:
        return screening.store_list(session, name=name, content=data, ids=ids, now=NOW)


def _hits(engine: Engine, *values: str) -> dict[str, list[str]]:
    with reading(engine) as session:
        found = list_entries.hits(session, values)
    return {
        value: [f"{each.list_name}/{each.detail}" for each in hits] for value, hits in found.items()
    }


def test_the_file_of_ofac_is_read_with_names_both_ways_and_addresses(
    engine: Engine, ids: Ids
) -> None:
    _store(engine, ids, OFAC, "sdn")

    assert _hits(
        engine, "aerocaribbean airlines", "doe john jack", "john jack doe", WALLET.lower(), "cuba"
    ) == {
        "aerocaribbean airlines": ["sdn/36"],
        "doe john jack": ["sdn/9640"],
        "john jack doe": ["sdn/9640"],
        WALLET.lower(): ["sdn/9640"],
    }


def test_plain_lines_are_names_or_addresses(engine: Engine, ids: Ids) -> None:
    _store(engine, ids, f'\ufeffAcme, Inc.\n"Quoted & Sons\n\nÉtoile SA\n{WALLET} # theirs\n')

    found = _hits(engine, "acme inc", "quoted sons", "etoile sa", WALLET.lower(), "theirs")

    assert sorted(found) == sorted(["acme inc", "quoted sons", "etoile sa", WALLET.lower()])


def test_a_new_version_is_in_force_at_once_and_the_old_one_is_kept(
    engine: Engine, ids: Ids
) -> None:
    first = _store(engine, ids, "Old Name\nSame Name\n")
    second = _store(engine, ids, "New Name\nSame Name\n")

    assert first != second
    assert sorted(_hits(engine, "old name", "new name", "same name")) == ["new name", "same name"]
    with reading(engine) as session:
        (version,) = lists.versions(session)
    assert version.id == second


def test_the_same_file_again_changes_nothing(engine: Engine, ids: Ids) -> None:
    assert _store(engine, ids, "A Name\n") is not None

    assert _store(engine, ids, "A Name\n") is None


@pytest.mark.parametrize("stats", ("{}", '{"parties": 1, "names": 1}'))
def test_the_same_file_is_read_again_where_less_was_read_from_it_before(
    engine: Engine, ids: Ids, stats: str
) -> None:
    _store(engine, ids, "A Name\n")
    with transaction(engine) as session:
        rows(session, "UPDATE list_version SET stats = ? RETURNING id", (stats,))

    assert _store(engine, ids, "A Name\n") is not None
    assert _store(engine, ids, "A Name\n") is None


def test_two_lists_are_in_force_side_by_side(engine: Engine, ids: Ids) -> None:
    _store(engine, ids, "A Name\n", "one")
    _store(engine, ids, "a name\nB Name\n", "two")

    assert _hits(engine, "a name", "b name") == {"a name": ["one/", "two/"], "b name": ["two/"]}


OTHER_FILES = (
    b"",
    b"\n \n",
    b"%PDF-1.7 x",
    b"PK\x03\x04zip",
    b"<html>not found</html>",
    b'{"error": 1}',
    b"A\x00B\x01C",
    OFAC.encode() + b'\r\n77,"SHORT ROW"\r\n',
    OFAC.encode().replace(b'"AEROCARIBBEAN AIRLINES"', b'"AERO" CARIBBEAN'),
)


def test_what_cannot_be_read_is_refused_and_the_version_in_force_stays(
    engine: Engine, ids: Ids
) -> None:
    _store(engine, ids, "A Name\n")

    for content in OTHER_FILES:
        with pytest.raises(ListUnreadable):
            _store(engine, ids, content)

    assert _hits(engine, "a name") == {"a name": ["own/"]}


def test_a_name_that_is_not_listed_is_not_found(engine: Engine, ids: Ids) -> None:
    _store(engine, ids, "A Name\n")

    assert _hits(engine, "a", "name", "a name 2") == {}


def test_the_published_file_is_read_where_it_is_present(engine: Engine, ids: Ids) -> None:
    path = Path(os.environ.get("OFAC_SDN_CSV", "ofac-sdn.csv"))
    if not path.exists():
        pytest.skip("name OFAC's SDN.CSV in OFAC_SDN_CSV to try it")
    _store(engine, ids, path.read_bytes(), "sdn")
    assert _hits(engine, "aerocaribbean airlines")
