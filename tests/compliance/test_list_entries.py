"""Entries kept by what versions change: those in force are those of the last version alone."""

import random
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from settlement.clock import Ids, counted_ids
from settlement.compliance import lists
from settlement.compliance.list_files.reading import ListFile
from settlement.compliance.list_files.record import Party
from settlement.compliance.policy.names import fold
from settlement.store import reading, transaction
from settlement.store.bulk import rows

NOW = datetime(2026, 11, 20, tzinfo=UTC)
WALLETS = tuple(f"0x{number:040x}" for number in range(6))
NAMES = ("ALPHA", "Álpha", "alpha!", "DOE, John", "John Doe", "Beta Ltd", "beta, LTD", "Gamma")
_STANDING = "SELECT kind, value, detail FROM list_entry WHERE ended_by IS NULL ORDER BY kind, value"


def a_version(chance: random.Random) -> ListFile:
    """Few names and wallets, so that several parties share one: also in another spelling."""
    parties = []
    for number in chance.sample(range(12), chance.randint(1, 12)):
        names = chance.sample(NAMES, chance.randint(1, 3))
        party = Party(f"k{number}", names=dict.fromkeys(names, "main"))
        if chance.random() < 0.3:
            party.names[chance.choice(NAMES)] = "weak"
        if chance.random() < 0.5:
            party.identifiers["wallet", chance.choice(WALLETS)] = None
        parties.append(party)
    return ListFile("made up", parties)


def bearers(version: ListFile) -> dict[tuple[str, str], set[str]]:
    """Return which parties bear each name or wallet, worked out from the version alone."""
    found: dict[tuple[str, str], set[str]] = {}
    for party in version.parties:
        for name, kind in party.names.items():
            if kind != "weak":
                last, comma, first = name.partition(",")
                for each in {name, f"{first} {last}" if comma else name}:
                    found.setdefault(("name", fold(each)), set()).add(party.key)
        for _, value in party.identifiers:
            found.setdefault(("address", value), set()).add(party.key)
    return found


def put(engine: Engine, ids: Ids, name: str, number: int, version: ListFile) -> None:
    with transaction(engine) as session:
        lists.load(
            session, name=name, content=b"%d" % number, ids=ids, now=NOW, found=version,
            accept_shrinking=True,
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_what_stands_after_many_versions_is_what_the_last_one_says(
    engine: Engine, seed: int
) -> None:
    chance, ids = random.Random(seed), counted_ids()
    put(engine, ids, "other", 0, ListFile("made up", [Party("o", names={"ALPHA": "main"})]))

    for number in range(12):
        version = a_version(chance)
        put(engine, ids, "own", number, version)

        with reading(engine) as session:
            standing = [tuple(row) for row in rows(session, _STANDING)]
            (found,) = [each for each in standing if each[2] in ("o", "")]
        assert found == ("name", "alpha", "o"), "another list's entry stays"
        standing.remove(found)
        wanted = bearers(version)
        assert [each[:2] for each in standing] == sorted(wanted), f"seed {seed}, version {number}"
        for kind, value, detail in standing:
            assert detail in wanted[kind, value], f"{value} is no entry of {detail}"
