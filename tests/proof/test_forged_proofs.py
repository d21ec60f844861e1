"""No forger gets by: not with a flipped byte, not with a changed value under a digest made anew."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from settlement.verify.proof_standalone import Trusted, holds, verify
from tests.proof.conftest import Proven
from tests.proof.forging import Place, Proof, forged, leaves, opened, others, put, rehashed, sealed
from tests.proof.forging import wrong as wrong_in

WORDS = re.compile(
    r"acceptance/(actor|event_id)|made_at|finality/head/(number|hash)|rail/(code_hash|genesis_hash)"
    r"|invoice/(number|issue_date|due_date|document/(length|media_type))"
    r"|invoice/(seller|buyer)/(name|country|lei)"
    r"|settlements/\d+/end_to_end_id|settlements/\d+/match/(id|created_at)"
    r"|settlements/\d+/clearance/(id|policy_version|inputs_hash|created_at|expires_at|revoked_at)"
    r"|settlements/\d+/clearance/(verdicts|list_versions)/.*"
)
"""What docs/proof.md calls the rail's own words: nothing in a proof can bind them."""
WORDS_OF_UNPAID = re.compile(r"settlements/0/(clearance/outcome|terms/symbol)")


def named(place: Place) -> str:
    return "/".join(map(str, place))


@pytest.mark.parametrize("name", ["plain", "refused"])
def test_every_value_that_is_not_the_rail_s_own_word_is_bound(proven: Proven, name: str) -> None:
    """The digest is made anew each time: it is the content that gives the forger away."""
    proof = opened(proven.files[name])
    forgeries = [
        (named(place), sealed(put(proof, place, other)))
        for place, value in leaves(proof)
        if place != ("digest",)
        for other in others(value)[:1]
    ]

    believed = {place for place, forgery in forgeries if not wrong_in(forgery)}

    assert len(forgeries) > 150
    assert [p for p in believed if not (WORDS.fullmatch(p) or WORDS_OF_UNPAID.fullmatch(p))] == []


def test_a_byte_that_is_flipped_anywhere_is_noticed(proven: Proven) -> None:
    content = proven.files["plain"]
    chance = random.Random(8)
    places = [*range(0, len(content), 7), *range(len(content) - 80, len(content))]

    believed = []
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= 1 << chance.randrange(8)
        if holds(verify(bytes(flipped), Trusted())):
            believed.append(place)

    assert believed == []


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-1],
        lambda content: content + b"\n",
        lambda content: b" " + content,
        lambda content: content.replace(b'{"', b'{ "', 1),
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b'"paid"', b'"p\\u0061id"', 1),
        lambda content: b'{"acceptance":1,' + content[1:],
        lambda _content: b"",
        lambda _content: b"[" * 100_000,
        lambda _content: b'{"\\"]":' * 100_000 + b"1" + b"}" * 100_000,
        lambda _content: b"\xff\xfe",
        lambda _content: b'{"format":1e400}\n',
        lambda _content: b'"\\ud800"\n',
        lambda content: b" " * 9_000_000 + content,
    ],
)
def test_a_file_of_another_form_is_refused_with_a_reason(
    proven: Proven, change: Callable[[bytes], bytes]
) -> None:
    checks = verify(change(proven.files["plain"]), Trusted())

    assert [(each.name, each.ok) for each in checks] == [("format", False)]
    assert checks[0].said


def _first(proof: Proof) -> Any:
    return proof["settlements"][0]


def _amount(proof: Proof) -> None:
    for name in ("amount_minor", "claim_minor"):
        _first(proof)["terms"][name] += "0"
    _first(proof)["clearance"]["amount_minor"] += "0"


def _without(proof: Proof, *seqs: int) -> None:
    kept = [each for at, each in enumerate(proof["journal"]["entries"]) if at not in seqs]
    proof["journal"]["entries"] = kept


def _drop_rejected(proof: Proof) -> None:
    """Leave out a rejected settlement with all of its entries, and mend what names them."""
    gone = proof["settlements"].pop(0)["id"]
    entries = proof["journal"]["entries"]
    proof["journal"]["entries"] = [each for each in entries if each["content"][5] != gone]


def _drop_rejected_and_mend(proof: Proof) -> None:
    _drop_rejected(proof)
    before = 0
    for each in proof["journal"]["entries"]:
        each["previous_of_invoice"], before = before, each["content"][1]


def _edited_entry(proof: Proof) -> None:
    entry = proof["journal"]["entries"][0]
    entry["content"][10] = "of another kind"
    rehashed(entry)


def _swap(name: str) -> Callable[[Proof], None]:
    def swap(proof: Proof) -> None:
        one, other = proof["settlements"][0], proof["settlements"][-1]
        one[name], other[name] = other[name], one[name]

    return swap


def _set(*place: str | int, value: Any) -> Callable[[Proof], None]:
    def change(proof: Proof) -> None:
        inner: Any = proof
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = value

    return change


def _repeat(proof: Proof) -> None:
    proof["settlements"].append(_first(proof))


def _more(proof: Proof) -> None:
    proof["remark"] = "trust me"


def _deeper_unknown(proof: Proof) -> None:
    _first(proof)["terms"]["remark"] = "trust me"


OTHER = "0x" + "ab" * 20
ATTACKS: dict[str, tuple[str, Callable[[Proof], Any], str]] = {
    "another amount": ("plain", _amount, "settlement 1: terms"),
    "another creditor": (
        "plain", lambda p: _first(p)["terms"].update(creditor=OTHER), "settlement 1: terms",
    ),
    "another document": (
        "plain", lambda p: p["invoice"]["document"].update(sha256="cd" * 32), "settlement 1: terms",
    ),
    "another reference": (
        "plain", lambda p: _first(p).update(reference="0x" + "cd" * 32), "settlement 1: terms",
    ),
    "another block number": (
        "plain",
        lambda p: _first(p)["chain"]["block"].update(number=p["finality"]["head"]["number"]),
        "settlement 1: headers",
    ),
    "fewer confirmations": (
        "plain", _set("finality", "confirmations", value=3), "settlement 1: headers",
    ),
    "headers of another payment": (
        "parted",
        lambda p: _first(p)["chain"].update(headers=p["settlements"][-1]["chain"]["headers"]),
        "settlement 1: headers",
    ),
    "evidence swapped": ("parted", _swap("chain"), "settlement 1: transaction"),
    "clearances swapped": ("parted", _swap("clearance"), "settlement 1: clearance"),
    "matches swapped": ("parted", _swap("match"), "settlement 1: booking"),
    "another transaction's path": (
        "parted",
        lambda p: _first(p)["chain"]["receipt"].update(
            path=_first(p)["chain"]["transaction"]["path"]
        ),
        "settlement 1: receipt",
    ),
    "a rejection called paid": ("refused", _set("settlements", 0, "outcome", value="paid"),
                                "settlement 1: receipt"),
    "a payment called rejected": ("refused", _set("settlements", 1, "outcome", value="rejected"),
                                  "settlement 2: receipt"),
    "evidence left out": ("refused", _set("settlements", 1, "chain", value=None),
                          "settlement 2: outcome"),
    "a payment called unpaid": (
        "parted",
        lambda p: p["settlements"][0].update(outcome="unpaid", chain=None, match=None),
        "settlement 1: booking",
    ),
    "an entry left out": ("plain", lambda p: _without(p, 1),
                          "journal: none of the invoice's entries is left out"),
    "the reversed entry left out": ("reorged", lambda p: _without(p, 2, 3),
                                    "journal: none of the invoice's entries is left out"),
    "a rejected settlement left out": ("refused", _drop_rejected,
                                       "journal: none of the invoice's entries is left out"),
    "the same, and mended": ("refused", _drop_rejected_and_mend,
                             "journal: entries stand in one tree"),
    "an entry edited and hashed": ("plain", _edited_entry, "journal: entries stand in one tree"),
    "a root of one's own": ("plain", _set("journal", "head", "root", value="ab" * 32),
                            "journal: entries stand in one tree"),
    "a settlement twice": ("plain", _repeat, "journal: none of the invoice's entries is left out"),
    "a paid sum": ("partly", _set("invoice", "state", value="PAID"), "sums"),
    "an unknown member": ("plain", _more, "format"),
    "an unknown member inside": ("plain", _deeper_unknown, "format"),
    "another format": ("plain", _set("format", value="settlement-rail/proof/2"), "format"),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_forger_who_seals_anew_is_given_away_by_the_right_check(
    proven: Proven, attack: str
) -> None:
    name, change, check = ATTACKS[attack]

    found = wrong_in(forged(proven.files[name], change))

    assert found and found[0] == check, found
