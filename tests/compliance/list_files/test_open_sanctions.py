"""OpenSanctions' entities line by line: nothing that is listed is lost, nothing odd is guessed."""

import random
from typing import Any

import orjson
import pytest

from settlement.compliance.list_files.reading import read_list
from settlement.compliance.list_files.record import ListUnreadable, Party
from tests.compliance.list_files.files import WALLET

FIELDS = (
    "name", "alias", "previousName", "weakAlias", "abbreviation", "imoNumber", "publicKey",
    "country", "birthDate", "program", "notes", "topics", "holder", "owner", "asset", "percentage",
)  # fmt: skip
SCHEMATA = ("Person", "CryptoWallet", "Ownership", "UnknownLink", "Vessel", "Address")


def an_entity(key: str = "p1", schema: str = "Person", **properties: Any) -> dict[str, Any]:
    return {"id": key, "schema": schema, "properties": {"topics": ["sanction"], **properties}}


def read(*entities: dict[str, Any]) -> dict[str, Party]:
    content = b"\n".join(orjson.dumps(each) for each in entities)
    return {party.key: party for party in read_list("own", content).parties}


def test_a_listed_wallet_without_a_listed_holder_is_a_party_of_its_own() -> None:
    parties = read(
        an_entity("w1", "CryptoWallet", publicKey=[WALLET]),
        an_entity("w2", "CryptoWallet", publicKey=["0x" + "cd" * 20], holder=["nobody"]),
        an_entity("w3", "CryptoWallet", publicKey=["0x" + "ef" * 20], topics=[]),
        an_entity(name=["Maksim Orlovsky"]),
    )

    assert sorted(parties) == ["p1", "w1", "w2"]
    assert list(parties["w1"].identifiers) == [("wallet", WALLET.lower())]
    assert list(parties["w2"].identifiers) == [("wallet", "0x" + "cd" * 20)]


def test_a_wallet_of_a_listed_holder_is_the_holders_alone() -> None:
    parties = read(
        an_entity("w1", "CryptoWallet", publicKey=[WALLET], holder=["p1"]),
        an_entity(name=["Maksim Orlovsky"]),
    )

    assert list(parties) == ["p1"]
    assert list(parties["p1"].identifiers) == [("wallet", WALLET.lower())]


def test_null_is_nothing_and_a_single_text_is_a_list_of_one() -> None:
    said = an_entity(name="Joe Smithson", alias=None, weakAlias=[None, "Joe"], topics="sanction")

    (party,) = read({**said, "caption": None}).values()

    assert party.names == {"Joe Smithson": "main", "Joe": "weak"}


@pytest.mark.parametrize(
    ("schema", "field", "value"),
    (("Person", "notes", {"a": 1}), ("Person", "topics", 5), ("CryptoWallet", "holder", 7),
     ("Person", "name", [["A"]]), ("Person", "alias", True), ("Ownership", "owner", {}),
     ("Ownership", "percentage", [50]), ("Person", "name", ["A\0B"])),
)  # fmt: skip
def test_what_is_no_text_is_refused_with_its_line_and_field(
    schema: str, field: str, value: Any
) -> None:
    odd = an_entity("x", schema, **{"owner": ["p1"], "asset": ["p1"], "publicKey": ["k"]})
    odd["properties"][field] = value

    with pytest.raises(ListUnreadable, match=rf"\b{field}\b.*line 2") as refused:
        read(an_entity(name=["A"]), odd)

    assert refused.value.repair


@pytest.mark.parametrize("caption", (5, {"a": "A"}, "A\0B"))
def test_a_caption_that_is_no_text_is_refused(caption: Any) -> None:
    with pytest.raises(ListUnreadable, match=r"\bcaption\b.*line 1"):
        read({**an_entity(name=["A"]), "caption": caption})


@pytest.mark.parametrize("sign", ("\u2028", "\u2029", "\u0085"))
def test_a_line_ends_with_a_line_feed_and_nothing_else(sign: str) -> None:
    (party,) = read(an_entity(name=["Joe Smithson"], notes=[f"a{sign}b"])).values()

    assert party.remarks == f"a{sign}b"


@pytest.mark.parametrize("second", ("Person", "CryptoWallet"))
def test_an_entity_that_is_there_twice_is_refused_with_both_lines(second: str) -> None:
    twice = an_entity("p1", second, name=["C D"], publicKey=[WALLET])

    with pytest.raises(ListUnreadable, match=r"p1 .*line 1.*\(line 3\)"):
        read(an_entity(name=["A B"]), an_entity("p2", name=["E F"]), twice)


@pytest.mark.parametrize("words", ("²%", "half", "9" * 5000, "100.1"))
def test_a_share_that_is_none_is_left_out(words: str) -> None:
    edge = an_entity("o", "Ownership", owner=["p2"], asset=["p1"], percentage=[words])

    (link,) = read(an_entity(name=["A"]), edge)["p1"].links

    assert (link.other, link.share_bp) == ("p2", None)


@pytest.mark.parametrize("seed", range(40))
def test_any_value_in_any_place_is_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    entities = [a_strange_entity(chance, f"k{number}") for number in range(30)]

    for entity in entities:
        try:
            read(an_entity(name=["Joe Smithson"]), entity)
        except ListUnreadable as refused:
            assert "line 2" in str(refused) or "has no name" in str(refused), entity


def a_strange_entity(chance: random.Random, key: str) -> dict[str, Any]:
    entity = an_entity(key, chance.choice(SCHEMATA), name=["A B"], publicKey=["k" * 30])
    said = entity["properties"]
    said.update(owner=[key], asset=["p1"])
    for _ in range(chance.randint(1, 3)):
        said[chance.choice(FIELDS)] = a_value(chance)
    if chance.random() < 0.3:
        entity[chance.choice(("id", "schema", "caption", "properties", "target"))] = a_value(chance)
    return entity


def a_value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(10 if depth < 2 else 7)
    if kind > 6:
        inner = [a_value(chance, depth + 1) for _ in range(chance.randint(0, 3))]
        return {str(place): each for place, each in enumerate(inner)} if kind == 9 else inner
    return chance.choice((
        None, True, False, 0, -1, 2**53, 1.5, "", " ", "\0", "\u2028", "p1", "sanction", "50,1 %",
        "²%", "١٢.٣", "0X" + "Ab" * 20, "x" * 600, "1970-13-45", "DOB 1970", "\U0001f600",
    ))  # fmt: skip
