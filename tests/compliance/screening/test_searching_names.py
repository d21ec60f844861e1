"""The index against scoring everybody: what it leaves out could not have been a hit."""

import random

import pytest

from settlement.compliance.screening.index import Index, Listed
from settlement.compliance.screening.names import Name, NameKind, prepared
from settlement.compliance.screening.scoring import Score, score, scored_from

PERSON, COMPANY = NameKind.PERSON, NameKind.ORGANIZATION
NAMES = 240
ASKED = 60
LEAST = 77
_GIVEN = ("Elena", "Chol", "Maksim", "Ahmad", "Yusuf", "Ali", "Sergey", "Luis")
_CORES = ("Liper", "Lidor", "Kolvara", "Kolvera", "Brightwater", "Nord", "Sabur")
_TRADES = ("Trading", "Shipping", "Bank", "Industries", "Steel 7", "Steel 9", "General Trading", "")
_FORMS = ("Ltd", "GmbH", "OOO", "S.A.", "")
_CYRILLIC = str.maketrans("abvgdezijklmnoprstuf", "абвгдезийклмнопрстуф")
_SPELLINGS = (("y", "i"), ("k", "q"), ("u", "ou"), ("s", "ss"), ("v", "w"), ("ei", "ey"))


def a_word(chance: random.Random) -> str:
    parts = [chance.choice("bdgklmnrstvz") + chance.choice("aeiou")
             for _ in range(chance.choice((2, 3)))]  # fmt: skip
    return "".join(parts).capitalize() + chance.choice(("", "n", "r", "v"))


def a_name(chance: random.Random, kind: NameKind) -> str:
    core = chance.choice((*_CORES, a_word(chance), a_word(chance)))
    if kind == PERSON:
        first = chance.choice(_GIVEN)
        return chance.choice(
            (f"{core.upper()}, {first}", f"{first} {chance.choice(_GIVEN)} {core}")
        )
    return " ".join(
        f"{core} {chance.choice(_TRADES)} {chance.choice(_FORMS)}".split()
    )  # fmt: skip


def otherwise_written(name: str, chance: random.Random) -> str:
    """Return it with a letter less, letters swapped, respelled, turned or in Cyrillic."""
    at = chance.randrange(1, len(name) - 1)
    old, new = chance.choice(_SPELLINGS)
    return chance.choice((
        name,
        name[:at] + name[at + 1 :],
        name[:at] + name[at + 1] + name[at] + name[at + 2 :],
        name.replace(old, new, 1),
        " ".join(reversed(name.replace(",", "").split())),
        name.lower().translate(_CYRILLIC).title(),
    ))  # fmt: skip


def a_list(chance: random.Random) -> list[Listed]:
    return [
        Listed(f"p{number}", "own", str(number), kind, ((a_name(chance, kind), "main"),))
        for number in range(NAMES)
        for kind in (chance.choice((PERSON, COMPANY)),)
    ]


def asked_of(listed: list[Listed], chance: random.Random) -> list[Name]:
    chosen = chance.sample(listed, ASKED)
    return [
        prepared(otherwise_written(each.names[0][0], chance), chance.choice((each.kind, COMPANY)))
        for each in chosen
    ]


@pytest.mark.parametrize("seed", range(4))
def test_a_search_finds_what_scoring_everybody_finds_with_the_same_scores(seed: int) -> None:
    chance = random.Random(seed)
    listed = a_list(chance)
    index = Index(listed)
    chosen = chance.sample(listed, ASKED)
    found_in_all = 0

    for each in chosen:
        text = otherwise_written(each.names[0][0], chance)
        name = prepared(text, each.kind)
        found = {hit.listed.party_id: hit.score for hit in index.search(text, each.kind, LEAST)}
        scores = {one.party_id: score(name, prepared(one.names[0][0], one.kind)) for one in listed}

        assert found == {key: each for key, each in scores.items() if each.points >= LEAST}, text
        found_in_all += len(found)

    assert found_in_all > ASKED


def test_two_words_that_are_equal_carry_one_that_is_only_near() -> None:
    index = Index([Listed("x", "own", "x", PERSON, (("LENER, Elena Chol", "main"),))])

    (found,) = index.search("LIPER, Elena Chol", PERSON)

    assert found.score.points == 83


@pytest.mark.parametrize("seed", range(4))
def test_a_score_that_is_cut_short_is_none_only_below_what_was_asked(seed: int) -> None:
    chance = random.Random(seed)
    listed = [prepared(each.names[0][0], each.kind) for each in a_list(chance)]
    reached = set()

    for name in asked_of(a_list(chance), chance):
        for other in listed:
            whole: Score = score(name, other)
            for least in (40, LEAST, 100):
                is_enough = whole.points >= least
                assert scored_from(least, name, other) == (whole if is_enough else None)
                reached.add(is_enough)

    assert reached == {True, False}


@pytest.mark.parametrize(
    ("kind", "name", "asked"),
    [
        (PERSON, "NADIRI, Abdul Rahman", "NADIRI, Abdul Rahman"),
        (PERSON, "NADIRI, Abdul Rahman", "Abdul Rahman Nadiri"),
        (PERSON, "LIPER, Dr. Elena", "Elena Liper"),
        (PERSON, "NADIRI, Abdul", "Abdul Nadiri"),
        (COMPANY, "Kolvara & Sons Trading Ltd", "Kolvara & Sons Trading Ltd"),
        (NameKind.VESSEL, "MV Kolvara Star", "MV Kolvara Star"),
    ],
)
def test_who_is_listed_is_found_though_it_is_not_known_whose_name_it_is(
    kind: NameKind, name: str, asked: str
) -> None:
    """A trader under a name of its own, or a plain list: of each kind as it would be read."""
    unknown = NameKind.UNKNOWN
    listed = Index([Listed("p1", "own", "1", kind, ((name, "main"),))])
    plain = Index([Listed("p1", "own", "1", unknown, ((name, "main"),))])

    assert [found.score.points >= 95 for found in listed.search(asked, unknown)] == [True]
    assert [found.score.points >= 95 for found in plain.search(asked, kind)] == [True]
    assert [found.score.points >= 95 for found in plain.search(asked, unknown)] == [True]
