"""Blocks that a forger makes up: their roots fit, and what stands in them is no payment."""

from __future__ import annotations

import copy
import zlib
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from settlement.chain import rlp, trie
from settlement.chain.keccak import keccak
from settlement.proof.blocks import packed
from settlement.verify import proof_standalone as checker
from settlement.verify.proof_standalone import Trusted, Wrong
from tests.proof.conftest import Proven
from tests.proof.forging import Proof, forged, opened, wrong

Change = Callable[[Any], Any]


def items(text: str) -> list[bytes]:
    """Return the packed items, as bytes each."""
    content, found = zlib.decompress(b64decode(text)), []
    while content:
        _, end = checker._rlp_item(content, 0, 0)
        found.append(content[:end])
        content = content[end:]
    return found


def remade(one: dict[str, Any], what: str, change: Change) -> dict[str, Any]:
    """Return a settlement whose receipt or chain transaction stands changed in a made-up block."""
    made = copy.deepcopy(one)
    chain = made["chain"]
    raw = checker.trie_leaf(
        _root(chain, what), chain["transaction"]["index"], items(chain[what]["path"])
    )
    fields = rlp.decode(raw[1:])
    kind = change(fields)
    leaf = (kind or raw[:1]) + rlp.encode(fields)
    headers = items(chain["headers"])
    header = rlp.decode(headers[0])
    assert isinstance(header, list)
    header[4 if what == "transaction" else 5] = trie.root([leaf])
    chain["headers"] = packed([rlp.encode(header), *headers[1:]])
    chain[what]["path"] = packed(trie.path([leaf], 0))
    chain["transaction"]["hash"] = "0x" + keccak(leaf).hex()
    assert chain["transaction"]["index"] == 0
    return made


def _root(chain: dict[str, Any], what: str) -> bytes:
    header = rlp.decode(items(chain["headers"])[0])
    root = header[4 if what == "transaction" else 5]
    assert isinstance(root, bytes)
    return root


def plain(proven: Proven) -> tuple[Proof, dict[str, Any]]:
    proof = opened(proven.files["plain"])
    return proof, proof["settlements"][0]


def _logs(change: Change) -> Change:
    def changed(fields: Any) -> None:
        change(fields[3])

    return changed


def _swap_topics(logs: Any) -> None:
    logs[1][1][2] = (99).to_bytes(32, "big")


def _settled_twice(logs: Any) -> None:
    logs.append(copy.deepcopy(logs[1]))


RECEIPTS: dict[str, Change] = {
    "a reverted chain transaction": lambda fields: fields.__setitem__(0, b""),
    "another type": lambda _fields: b"\1",
    "a Settled that another contract emits": _logs(lambda logs: logs[1].__setitem__(0, b"\1" * 20)),
    "another event": _logs(lambda logs: logs[1][1].__setitem__(0, b"\1" * 32)),
    "another debtor": _logs(lambda logs: logs[1][1].__setitem__(1, b"\0" * 32)),
    "another sequence": _logs(_swap_topics),
    "another reference": _logs(lambda logs: logs[1][1].__setitem__(3, b"\1" * 32)),
    "another amount": _logs(lambda logs: logs[1].__setitem__(2, logs[1][2][:-1] + b"\1")),
    "a longer log": _logs(lambda logs: logs[1].__setitem__(2, logs[1][2] + b"\0" * 32)),
    "one sequence settled twice": _logs(_settled_twice),
    "no Transfer": _logs(lambda logs: logs.__delitem__(0)),
    "a Transfer of another token": _logs(lambda logs: logs[0].__setitem__(0, b"\1" * 20)),
    "a Transfer of less": _logs(lambda logs: logs[0].__setitem__(2, b"\0" * 31 + b"\1")),
    "a Transfer to another": _logs(lambda logs: logs[0][1].__setitem__(2, b"\0" * 32)),
    "an Approval, no Transfer": _logs(lambda logs: logs[0][1].__setitem__(0, b"\1" * 32)),
    "no logs": _logs(lambda logs: logs.clear()),
}


@pytest.mark.parametrize("what", RECEIPTS)
def test_a_made_up_receipt_is_no_payment(proven: Proven, what: str) -> None:
    proof, one = plain(proven)
    same = remade(one, "receipt", lambda _fields: None)
    harmed = remade(one, "receipt", RECEIPTS[what])

    assert checker._receipt(proof, same, Trusted()).startswith("Settled and its exact Transfer")
    with pytest.raises(Wrong):
        checker._receipt(proof, harmed, Trusted())


def _call(change: Callable[[bytes], bytes]) -> Change:
    def changed(fields: Any) -> None:
        fields[7] = change(fields[7])

    return changed


TRANSACTIONS: dict[str, Change] = {
    "another chain": lambda fields: fields.__setitem__(0, b"\1"),
    "another contract": lambda fields: fields.__setitem__(5, b"\1" * 20),
    "another type": lambda _fields: b"\1",
    "another function": _call(lambda call: b"\1\2\3\4" + call[4:]),
    "another token": _call(lambda call: call[:4] + b"\0" * 32 + call[36:]),
    "another debtor": _call(lambda call: call[:36] + b"\0" * 32 + call[68:]),
    "a deadline that was over": _call(lambda call: call[:68] + b"\0" * 32 + call[100:]),
    "another sequence": _call(lambda call: call[:100] + b"\0" * 31 + b"\x63" + call[132:]),
    "another count": _call(lambda call: call[:164] + b"\0" * 31 + b"\3" + call[196:]),
    "another creditor": _call(lambda call: call[:196] + b"\1" * 20 + call[216:]),
    "another reference": _call(lambda call: call[:228] + b"\1" * 32 + call[260:]),
    "half a word more": _call(lambda call: call + b"\0" * 16),
}


@pytest.mark.parametrize("what", TRANSACTIONS)
def test_a_made_up_chain_transaction_is_not_the_batch(proven: Proven, what: str) -> None:
    proof, one = plain(proven)
    same = remade(one, "transaction", lambda _fields: None)
    harmed = remade(one, "transaction", TRANSACTIONS[what])

    assert checker._transaction(proof, same, Trusted()).endswith("pays a batch of 2")
    with pytest.raises((Wrong, OverflowError)):
        checker._transaction(proof, harmed, Trusted())


def _headers(change: Callable[[list[bytes]], list[bytes]], *, told: bool = True) -> Change:
    """Change the headers, and say of their last one and their number what fits."""

    def changed(proof: Proof) -> None:
        chain = proof["settlements"][0]["chain"]
        headers = change(items(chain["headers"]))
        chain["headers"] = packed(headers)
        last = chain["block"]["number"] + len(headers) - 1
        chain["final_block"] = {"number": last, "hash": "0x" + keccak(headers[-1]).hex()}
        proof["finality"]["confirmations"] = len(headers)

    return changed


def _edited(header: bytes, place: int, value: bytes) -> bytes:
    fields = rlp.decode(header)
    assert isinstance(fields, list)
    fields[place] = value
    return rlp.encode(fields)


def _other_place(delta: int, *names: str) -> Change:
    def changed(proof: Proof) -> None:
        for name in names:
            proof["settlements"][0]["chain"][name] += delta

    return changed


def _other_leaf(what: str, place: int, value: bytes) -> Change:
    """Change what stands at the end of a path, and no node above it."""

    def changed(proof: Proof) -> None:
        part = proof["settlements"][0]["chain"][what]
        path = items(part["path"])
        node = rlp.decode(path[-1])
        assert isinstance(node, list) and isinstance(node[1], bytes)
        fields = rlp.decode(node[1][1:])
        assert isinstance(fields, list)
        fields[place] = value
        node[1] = node[1][:1] + rlp.encode(fields)
        part["path"] = packed([*path[:-1], rlp.encode(node)])

    return changed


EVIDENCE: dict[str, tuple[Change, str]] = {
    "a header amid the others": (
        _headers(lambda found: [*found[:5], _edited(found[5], 12, b"x"), *found[6:]]), "headers",
    ),
    "the first header": (
        _headers(lambda found: [_edited(found[0], 11, b"\1\1\1\1"), *found[1:]]), "headers",
    ),
    "too few": (_headers(lambda found: found[:3]), "headers"),
    "one left out": (_headers(lambda found: [*found[:5], *found[6:]]), "headers"),
    "one behind what the rail has seen": (
        _headers(lambda found: [*found, _edited(found[-1], 8, b"\xff\xff\xff")]), "headers",
    ),
    "the receipt's gas": (_other_leaf("receipt", 1, b"\1"), "receipt"),
    "the transaction's fee": (_other_leaf("transaction", 3, b"\1"), "transaction"),
    "a twin's logs": (_other_place(2, "log_index", "transfer_index"), "receipt"),
    "a twin's Transfer": (_other_place(2, "transfer_index"), "receipt"),
    "logs counted from elsewhere": (
        _other_place(1, "first_log_index", "log_index", "transfer_index"), "receipt",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", EVIDENCE)
def test_evidence_that_was_changed_inside_is_given_away(proven: Proven, what: str) -> None:
    change, check = EVIDENCE[what]

    found = wrong(forged(proven.files["plain"], change))

    assert found and found[0] == f"settlement 1: {check}", found


def test_packed_bytes_that_swell_are_refused(proven: Proven) -> None:
    bomb = packed([rlp.encode(b"\0" * 20_000_000)])

    found = wrong(
        forged(
            proven.files["plain"],
            lambda proof: proof["settlements"][0]["chain"].update(headers=bomb),
        )
    )

    assert found[0] == "settlement 1: headers"
