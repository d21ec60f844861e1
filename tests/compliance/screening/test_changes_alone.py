"""A new version compared by what it changes: it finds what comparing with all of it would find."""

import random

import pytest
from rapidfuzz.distance import OSA

from settlement.compliance.screening.index import Index, Listed
from settlement.compliance.screening.matching import Match, matches
from settlement.compliance.screening.names import NameKind
from settlement.compliance.screening.pairing import PAIR_MIN
from settlement.compliance.screening.spelling import alike, edits_max, sound
from settlement.compliance.screening.subjects import Part, Subject
from settlement.compliance.screening.vocabulary import vocabulary
from tests.compliance.screening.test_searching_names import (
    COMPANY,
    a_list,
    a_name,
    a_word,
    otherwise_written,
)

CHANGED = 60
SUBJECTS = 150
_TRADES = ("Foods", "Textiles", "Import Export", "Trading", "General Trading")


def a_company(chance: random.Random) -> str:
    return f"{a_word(chance)} {chance.choice(_TRADES)}"


def a_version(chance: random.Random) -> list[Listed]:
    """Parties of all kinds, with aliases, some with numbers of their own."""
    return [
        Listed(
            each.party_id, "own", each.entry_key, each.kind,
            (*each.names, (a_company(chance), chance.choice(("strong", "weak")))),
            identifiers=(("lei", f"LEI{number}"),) if number % 5 == 0 else (),
        )
        for number, each in enumerate(a_list(chance))
    ]  # fmt: skip


def subjects_of(listed: list[Listed], chance: random.Random) -> list[Subject]:
    """Participants that are listed, are nearly listed, or have nothing to do with anybody."""
    found = []
    for number in range(SUBJECTS):
        each = chance.choice(listed)
        name, _ = chance.choice(each.names)
        text = chance.choice((name, otherwise_written(name, chance), a_company(chance)))
        kind = chance.choice((each.kind, COMPANY))
        parts = [Part("name", "n", text, kind, None)]
        parts.append(Part("owner", "o", a_name(chance, kind), kind, None))
        parts.append(Part("identifier", "lei", f"LEI{number}", COMPANY, None))
        found.append(Subject(f"par_{number}", tuple(parts), ()))
    return found


def told(found: list[Match]) -> set[tuple[str, str, str, int]]:
    return {(each.part.kind, each.listed.party_id, each.entry_text, each.points) for each in found}


@pytest.mark.parametrize("seed", range(4))
def test_what_changed_is_found_alone_as_among_all_others(seed: int) -> None:
    chance = random.Random(seed)
    version = a_version(chance)
    changed = chance.sample(version, CHANGED)
    keys = {each.party_id for each in changed}
    alone, whole = Index(changed), Index(version)
    found_in_all = 0

    for subject in subjects_of(changed, chance):
        found = told(matches(subject, alone))

        assert found == {each for each in told(matches(subject, whole)) if each[1] in keys}
        found_in_all += len(found)

    assert found_in_all > SUBJECTS // 2


@pytest.mark.parametrize("seed", range(4))
def test_every_name_and_alias_that_changed_is_found_as_it_is_written(seed: int) -> None:
    changed = a_version(random.Random(seed))
    index = Index(changed)

    for each in changed:
        for name, _ in each.names:
            hits = {found.listed.party_id for found in index.search(name, each.kind)}
            assert each.party_id in hits, name


@pytest.mark.parametrize("written", ["YKAND", "YK AND", "YK-AND"])
def test_a_name_whose_spaces_alone_are_others_is_found(written: str) -> None:
    """`and` is a particle: without it the two have one word each, and these are far apart."""
    kind = NameKind.AIRCRAFT
    index = Index([Listed("own/1", "own", "1", kind, (("YK-AND", "main"),))])

    assert [found.listed.entry_key for found in index.search(written, kind)] == ["1"]


def test_words_of_more_edits_than_may_be_are_never_taken_for_one_another() -> None:
    chance = random.Random(5)
    letters = "aeioubdgklmnrstvzhcy"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 22))) for _ in range(120)]
    words += [otherwise_written(each + "a", chance).lower() for each in words]
    words = [each for each in words if each.isascii() and each.isalpha()]
    nicknames = vocabulary().nicknames
    reached = 0

    for one in words:
        for other in words:
            is_near = any(
                OSA.distance(*pair) <= edits_max(max(map(len, pair)), PAIR_MIN)
                for pair in ((one, other), (sound(one), sound(other)))
            )
            if one not in nicknames and alike(one, other) >= PAIR_MIN:
                assert is_near, (one, other)
                reached += one != other

    assert reached > 50
