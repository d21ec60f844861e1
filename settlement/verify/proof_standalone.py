#!/usr/bin/env python3
"""Checks a proof of payment, with no database, no network and nothing but Python 3.11 or newer.

    python proof_standalone.py FILE [--document FILE] [--block-hash 0x…] [--journal-root HASH]

Copy this one file wherever you like: it shares no code with the rail that made the proof. Every
check is named with its result; exit code 0 if all hold, 1 if one does not, 2 if there is no file.
What a proof shows, and what it does not, is in docs/proof.md. It is longer than other files of its
kind on purpose: all that a reader has to trust is in it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
import zlib
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

FORMAT = "settlement-rail/proof/1"
CONFIRMATIONS = 12
FILE_BYTES_MAX = 8 * 1024 * 1024
DEPTH_MAX = 32
"""Far more than the shape below needs."""
UNPACKED_BYTES_MAX = 8 * 1024 * 1024


class Wrong(Exception):
    """Something in the file is not as it has to be."""


class Check(NamedTuple):
    """One check: `ok` is None where it was not judged, and `said` why."""

    name: str
    ok: bool | None
    said: str


class NotCompared(Exception):
    """There is nothing from elsewhere to compare with: neither right nor wrong."""


class Trusted(NamedTuple):
    """What the reader knows from elsewhere."""

    block_hashes: tuple[str, ...] = ()
    journal_root: str | None = None
    document: bytes | None = None
    confirmations: int = CONFIRMATIONS


def verify(content: bytes, trusted: Trusted) -> list[Check]:
    """Return every check of a proof's bytes, in order."""
    checks: list[Check] = []

    def judged(name: str, judge: Callable[..., str], *facts: Any) -> bool:
        try:
            checks.append(Check(name, True, judge(*facts)))
        except NotCompared as error:
            checks.append(Check(name, None, f"not compared: {error}"))
        except Wrong as error:
            checks.append(Check(name, False, str(error)))
        except (
            ArithmeticError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
            zlib.error,
        ) as e:
            checks.append(Check(name, False, f"cannot be read: {type(e).__name__} {e}"[:200]))
        return checks[-1].ok is True

    found: list[Any] = []
    if not judged("format", _form, content, found) or not judged("digest", _digest, found[0]):
        return checks
    proof = found[0]
    judged("journal: entries are what was hashed", _entries, proof)
    judged("journal: entries stand in one tree", _tree, proof)
    judged("journal: none of the invoice's entries is left out", _complete, proof)
    judged("acceptance", _acceptance, proof)
    for place, settlement in enumerate(proof["settlements"]):
        steps: list[tuple[str, Callable[..., str]]] = [("terms", _terms)]
        if settlement["chain"] is not None:
            steps += [("headers", _headers), ("transaction", _transaction), ("receipt", _receipt)]
        steps += [("outcome", _outcome), ("clearance", _clearance), ("booking", _booking)]
        sound = True
        for name, judge in steps:
            name = f"settlement {place + 1}: {name}"
            if sound:
                sound = judged(name, judge, proof, settlement, trusted)
            else:
                checks.append(Check(name, None, "not judged"))
    judged("sums", _sums, proof)
    for name, judge in _OUTSIDE:
        judged(name, judge, proof, trusted)
    return checks


def holds(checks: list[Check]) -> bool:
    """Whether nothing speaks against a proof; what was not compared does not."""
    return all(each.ok is not False for each in checks)


# The file: its form, and the digest over it.

HEX, HASH, ADDRESS = "[0-9a-f]{64}", "0x[0-9a-f]{64}", "0x[0-9a-f]{40}"
TEXT, WORD, DIGITS = "(?s).{0,2000}", "[A-Za-z0-9_.-]{1,64}", "0|[1-9][0-9]{0,18}"
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
DATE, PACKED = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[A-Za-z0-9+/]{1,4000000}={0,2}"
INVOICE, SETTLEMENT, PARTY = (f"{kind}_[0-9a-f]{{32}}" for kind in ("inv", "stl", "par"))


class Maybe(NamedTuple):
    """A shape that null may stand for."""

    shape: Any


_BLOCK = {"number": int, "hash": HASH}
_COMPANY = {"id": PARTY, "lei": WORD, "name": TEXT, "country": WORD}
_CLEARANCE = {
    "id": WORD, "outcome": WORD, "policy_version": TEXT,
    "list_versions": [{"name": TEXT, "sha256": WORD}],
    "verdicts": [{"rule": TEXT, "outcome": WORD, "found": Maybe(TEXT)}],
    "inputs_hash": HEX, "debtor": ADDRESS, "creditor": ADDRESS, "token": ADDRESS,
    "amount_minor": DIGITS, "reference": HASH, "created_at": MOMENT, "expires_at": MOMENT,
    "revoked_at": Maybe(MOMENT),
}  # fmt: skip
_CHAIN = {
    "block": _BLOCK, "final_block": _BLOCK, "headers": PACKED,
    "transaction": {"hash": HASH, "index": int, "path": PACKED}, "receipt": {"path": PACKED},
    "first_log_index": int, "log_index": int, "transfer_index": Maybe(int),
}  # fmt: skip
_PAYMENT = {
    "id": SETTLEMENT, "end_to_end_id": WORD, "outcome": "paid|rejected|unpaid|under_way",
    "terms": {
        "token": ADDRESS, "symbol": WORD, "decimals": int, "debtor": ADDRESS, "sequence": int,
        "creditor": ADDRESS, "amount_minor": DIGITS, "claim_minor": DIGITS,
    },
    "reference": HASH, "clearance": Maybe(_CLEARANCE), "chain": Maybe(_CHAIN),
    "match": Maybe({"id": int, "log": TEXT, "entry_seq": int, "created_at": MOMENT}),
}  # fmt: skip
_LINE = (TEXT, "posted|pending", "signed")
_CONTENT = (
    HEX, int, WORD, TEXT, Maybe(INVOICE), Maybe(SETTLEMENT), Maybe(int), Maybe(HASH), Maybe(HASH),
    Maybe(int), Maybe(TEXT), DATE, int, [_LINE],
)  # fmt: skip
SHAPE = {
    "format": re.escape(FORMAT), "made_at": MOMENT, "digest": HEX,
    "rail": {"chain_id": int, "genesis_hash": HASH, "address": ADDRESS, "code_hash": HASH},
    "finality": {"confirmations": int, "head": _BLOCK},
    "invoice": {
        "id": INVOICE, "number": TEXT, "issue_date": DATE, "due_date": Maybe(DATE),
        "state": "PAID|PARTLY_PAID", "currency": "[A-Z]{3}", "decimals": int,
        "payable_minor": DIGITS, "credited_minor": DIGITS, "paid_minor": DIGITS,
        "seller": _COMPANY, "buyer": _COMPANY,
        "document": {"sha256": HEX, "media_type": TEXT, "length": int},
    },
    "acceptance": {"event_id": int, "actor": TEXT, "at": MOMENT},
    "credit_notes": [INVOICE], "settlements": [_PAYMENT],
    "journal": {
        "head": {"seq": int, "hash": HEX, "previous_of_invoice": int, "path": [HEX], "root": HEX},
        "entries": [{"hash": HEX, "content": _CONTENT, "previous_of_invoice": int, "path": [HEX]}],
    },
}  # fmt: skip


def _form(content: bytes, found: list[Any]) -> str:
    if len(content) > FILE_BYTES_MAX:
        raise Wrong(f"larger than {FILE_BYTES_MAX} bytes")
    if _depth(content) > DEPTH_MAX:
        raise Wrong(f"more than {DEPTH_MAX} values inside each other")
    proof = json.loads(
        content.decode("utf-8"), parse_float=_refuse, parse_constant=_refuse, parse_int=_integer
    )
    _shaped(proof, SHAPE, "")
    # One text for one content: no second name, no white space, no other order can hide in it.
    if canonical(proof) + b"\n" != content:
        raise Wrong("not the canonical text of its own content")
    found.append(proof)
    return f"{FORMAT}, {len(content)} bytes"


def _depth(content: bytes) -> int:
    """Return how deep arrays and objects lie in each other: a parser's stack may not hold them."""
    depth = deepest = 0
    for bracket in re.findall(rb"[\[{\]}]", re.sub(rb'"(?:[^"\\]|\\.)*"', b"", content)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _digest(proof: dict[str, Any]) -> str:
    rest = {name: value for name, value in proof.items() if name != "digest"}
    _same("the digest", proof["digest"], sha256(canonical(rest)).hexdigest())
    return str(proof["digest"])


def canonical(value: Any) -> bytes:
    """Return JSON in UTF-8: members by name, no white space, characters as themselves."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def _shaped(value: Any, shape: Any, where: str) -> None:
    if isinstance(shape, Maybe):
        if value is not None:
            _shaped(value, shape.shape, where)
    elif isinstance(shape, dict):
        if not isinstance(value, dict) or value.keys() != shape.keys():
            names = set(value) ^ set(shape) if isinstance(value, dict) else "no object"
            raise Wrong(f"{where or '/'}: members missing or unknown: {names}")
        for name, each in shape.items():
            _shaped(value[name], each, f"{where}/{name}")
    elif isinstance(shape, (list, tuple)):
        if not isinstance(value, list) or (isinstance(shape, tuple) and len(value) != len(shape)):
            raise Wrong(f"{where}: no such list")
        shapes = shape if isinstance(shape, tuple) else shape * len(value)
        for place, (item, each) in enumerate(zip(value, shapes, strict=True)):
            _shaped(item, each, f"{where}/{place}")
    elif shape is int or shape == "signed":
        least = 0 if shape is int else -(2**63)
        if type(value) is not int or not least <= value < 2**63:
            raise Wrong(f"{where}: {value!r:.60} is no such number")
    elif not isinstance(value, str) or not re.fullmatch(shape, value):
        raise Wrong(f"{where}: {value!r:.60} is not of its form")


def _refuse(word: str) -> NoReturn:
    raise Wrong(f"{word:.40} is no integer")


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise Wrong("a number of more than 20 digits")
    return int(digits)


def _same(what: str, said: object, found: object) -> None:
    if said != found:
        raise Wrong(f"{what} is {found!s:.100}, not {said!s:.100}")


# The journal.


class Entry(NamedTuple):
    """An entry as it was hashed."""

    prev_hash: str
    seq: int
    kind: str
    source_key: str
    invoice_id: str | None
    settlement_id: str | None
    block_number: int | None
    block_hash: str | None
    tx_hash: str | None
    reverses_seq: int | None
    reason: str | None
    value_date: str
    booked_at: int
    lines: list[list[Any]]

    def posted(self, code: str) -> int:
        """Return what was posted to an account."""
        return sum(
            minor for account, phase, minor in self.lines if (account, phase) == (code, "posted")
        )


def entries_of(proof: dict[str, Any]) -> list[Entry]:
    """Return the entries in the file's order."""
    return [Entry(*each["content"]) for each in proof["journal"]["entries"]]


def standing(proof: dict[str, Any]) -> list[Entry]:
    """Return the entries that were not reversed, without the reversals."""
    found = entries_of(proof)
    gone = {each.reverses_seq for each in found}
    return [each for each in found if each.reverses_seq is None and each.seq not in gone]


def _entries(proof: dict[str, Any]) -> str:
    listed = proof["journal"]["entries"]
    hashes: dict[int, str] = {}
    for each in listed:
        entry = Entry(*each["content"])
        _same(
            f"the hash of entry {entry.seq}",
            each["hash"],
            sha256(canonical(each["content"])).hexdigest(),
        )
        if hashes and entry.seq <= max(hashes):
            raise Wrong("the entries are not in their order")
        if entry.seq - 1 in hashes:
            _same(f"what entry {entry.seq} follows", entry.prev_hash, hashes[entry.seq - 1])
        hashes[entry.seq] = each["hash"]
        sums: Counter[tuple[str, str]] = Counter()
        for code, phase, minor in entry.lines:
            sums[code.rpartition(":")[2], phase] += minor
        if any(sums.values()):
            raise Wrong(f"entry {entry.seq} does not sum to zero")
    return f"{len(listed)} entries, each of its hash, each balanced"


def _tree(proof: dict[str, Any]) -> str:
    journal = proof["journal"]
    head, root = journal["head"], journal["head"]["root"]
    places = [(head["seq"], head)] + [(each["content"][1], each) for each in journal["entries"]]
    for seq, each in places:
        if not 1 <= seq <= head["seq"]:
            raise Wrong(f"entry {seq} lies behind the head")
        leaf = b"\0" + bytes.fromhex(each["hash"]) + each["previous_of_invoice"].to_bytes(8, "big")
        path = [bytes.fromhex(node) for node in each["path"]]
        reached = _climb(sha256(leaf).digest(), seq - 1, head["seq"], path)
        # With the number of entries: by a root alone a path may fit more than one of them.
        sized = sha256(b"\2" + head["seq"].to_bytes(8, "big") + reached)
        _same(f"the root above entry {seq}", root, sized.hexdigest())
    return f"{len(places) - 1} entries and the head, {head['seq']}, under the root {root}"


def _climb(node: bytes, place: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that a leaf's path leads to. Source: RFC 6962, 2.1.1."""
    turns = []
    start, end = 0, size
    while end - start > 1:
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        turns.append(place >= middle)
        start, end = (middle, end) if turns[-1] else (start, middle)
    if len(turns) != len(path):
        raise Wrong(f"a path of {len(path)} hashes where {len(turns)} belong")
    for is_right, sibling in zip(reversed(turns), path, strict=True):
        node = sha256(b"\1" + (sibling + node if is_right else node + sibling)).digest()
    return node


def _complete(proof: dict[str, Any]) -> str:
    claims = [proof["invoice"]["id"], *proof["credit_notes"]]
    _same("how often an id occurs", 1, max(Counter(claims).values()))
    newest = dict.fromkeys(claims, 0)
    for each, entry in zip(proof["journal"]["entries"], entries_of(proof), strict=True):
        if entry.invoice_id not in newest:
            raise Wrong(f"entry {entry.seq} is not of this invoice")
        _same(
            f"the entry before {entry.seq}", each["previous_of_invoice"], newest[entry.invoice_id]
        )
        newest[entry.invoice_id] = entry.seq
    head, known = proof["journal"]["head"], {e.seq: e for e in entries_of(proof)}
    if head["seq"] in known:
        _same("the head's hash", head["hash"], proof["journal"]["entries"][-1]["hash"])
    named = {entry.settlement_id for entry in known.values()} - {None}
    listed = Counter(each["id"] for each in proof["settlements"])
    if not named <= set(listed) or max(listed.values(), default=0) > 1:
        raise Wrong("a settlement is missing or there twice")
    for entry in known.values():
        if entry.reverses_seq is None:
            continue
        undone = known.get(entry.reverses_seq)
        if undone is None or undone.lines != [[c, p, -m] for c, p, m in entry.lines]:
            raise Wrong(f"entry {entry.seq} is not the opposite of the one it reverses")
    return f"each names the one before it; {len(listed)} settlements"


def _acceptance(proof: dict[str, Any]) -> str:
    invoice, said = proof["invoice"], proof["acceptance"]
    (entry,) = [e for e in standing(proof) if e.kind == "accept" and e.invoice_id == invoice["id"]]
    _same("the entry's source", entry.source_key, f"accept:{invoice['id']}")
    _same("when it was booked", said["at"], _moment(entry.booked_at))
    for party, account, sign in (
        (invoice["seller"], "receivable", 1),
        (invoice["buyer"], "payable", -1),
    ):
        claim = entry.posted(f"{account}:{party['id']}:{invoice['currency']}")
        _same(f"the {account}", int(invoice["payable_minor"]), sign * claim)
    return f"entry {entry.seq}, at {said['at']}; by {said['actor']} (the rail's word)"


def _moment(micros: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# One settlement.


def _terms(proof: dict[str, Any], one: dict[str, Any], _trusted: Trusted) -> str:
    terms, rail = one["terms"], proof["rail"]
    amount, claim = int(terms["amount_minor"]), int(terms["claim_minor"])
    more = terms["decimals"] - proof["invoice"]["decimals"]
    if not 0 <= more <= 9 or amount != claim * 10**more or not amount:
        raise Wrong(f"{amount} of the token is not the claim of {claim}")
    preimage = "".join(
        (
            keccak(b"settlement-rail/v1").hex(),
            f"{rail['chain_id']:064x}",
            *(
                each[2:].rjust(64, "0")
                for each in (rail["address"], terms["token"], terms["debtor"])
            ),
            f"{terms['sequence']:064x}",
            terms["creditor"][2:].rjust(64, "0"),
            f"{amount:064x}",
            proof["invoice"]["document"]["sha256"],
            one["id"].rpartition("_")[2].rjust(64, "0"),
        )
    )
    _same(
        "the reference of its terms", one["reference"], "0x" + keccak(bytes.fromhex(preimage)).hex()
    )
    return f"{_amount(one)} under {one['reference']}"


def _amount(one: dict[str, Any]) -> str:
    terms = one["terms"]
    whole, part = divmod(int(terms["amount_minor"]), 10 ** terms["decimals"])
    return f"{whole}.{part:0{terms['decimals']}d} {terms['symbol']} to {terms['creditor']}"


class Header(NamedTuple):
    """What is needed of a block's header."""

    hash: str
    parent_hash: str
    transactions_root: bytes
    receipts_root: bytes
    number: int
    timestamp: int


def headers_of(one: dict[str, Any]) -> tuple[Header, ...]:
    """Return the headers that a settlement's evidence holds."""
    return _headers_in(one["chain"]["headers"])


@lru_cache(maxsize=8)
def _headers_in(packed: str) -> tuple[Header, ...]:
    found = []
    for raw in _unpacked(packed):
        fields = rlp(raw)
        if not isinstance(fields, list) or not 15 <= len(fields) <= 21:
            raise Wrong("something that is no block's header")
        number, timestamp = int.from_bytes(fields[8], "big"), int.from_bytes(fields[11], "big")
        found.append(
            Header(
                "0x" + keccak(raw).hex(),
                "0x" + fields[0].hex(),
                fields[4],
                fields[5],
                number,
                timestamp,
            )
        )
    return tuple(found)


def _headers(proof: dict[str, Any], one: dict[str, Any], trusted: Trusted) -> str:
    said, headers = one["chain"], headers_of(one)
    depth = proof["finality"]["confirmations"]
    if depth < trusted.confirmations:
        raise Wrong(f"only {depth} confirmations are shown, {trusted.confirmations} are asked for")
    _same("the number of headers", depth, len(headers))
    for where, header in (("block", headers[0]), ("final_block", headers[-1])):
        _same(f"the {where}", said[where], {"number": header.number, "hash": header.hash})
    for below, header in itertools.pairwise(headers):
        _same("a header's parent", below.hash, header.parent_hash)
        _same("a header's number", below.number + 1, header.number)
    head, last = proof["finality"]["head"], headers[-1]
    if head["number"] < last.number or (
        head["number"] == last.number and head["hash"] != last.hash
    ):
        raise Wrong("the rail had not seen its last header")
    return f"block {headers[0].number} {headers[0].hash} and {depth - 1} more up to {last.hash}"


def _transaction(proof: dict[str, Any], one: dict[str, Any], _trusted: Trusted) -> str:
    said, terms, header = one["chain"]["transaction"], one["terms"], headers_of(one)[0]
    raw = trie_leaf(header.transactions_root, said["index"], _unpacked(said["path"]))
    _same("the chain transaction's hash", said["hash"], "0x" + keccak(raw).hex())
    fields = rlp(raw[1:])
    if raw[0] != 2 or not isinstance(fields, list) or len(fields) != 12:
        raise Wrong("not a chain transaction of the kind that the rail sends")
    _same("the chain's id", proof["rail"]["chain_id"], int.from_bytes(fields[0], "big"))
    _same("what it calls", proof["rail"]["address"], "0x" + fields[5].hex())
    call = fields[7]
    words = [call[at : at + 32] for at in range(4, len(call), 32)]
    selector = keccak(b"settle(address,address,uint256,uint256,(uint256,bytes32)[])")[:4]
    if call[:4] != selector or len(words) < 8 or len(words[-1]) != 32:
        raise Wrong("not a call that pays a batch")
    _same("the batch's token and debtor", [word(terms["token"]), word(terms["debtor"])], words[:2])
    _same("the batch's size", len(words) - 6, 2 * int.from_bytes(words[5], "big"))
    deadline, first = (int.from_bytes(each, "big") for each in words[2:4])
    if header.timestamp > deadline:
        raise Wrong("its block is later than its deadline")
    packed = (
        bytes.fromhex(terms["creditor"][2:])
        + int(terms["amount_minor"]).to_bytes(8, "big")
        + (terms["sequence"] - first).to_bytes(4, "big")
    )
    if [packed, bytes.fromhex(one["reference"][2:])] not in [
        words[at : at + 2] for at in range(6, len(words), 2)
    ]:
        raise Wrong("this payment is not in its batch")
    return f"{said['hash']} pays a batch of {(len(words) - 6) // 2}"


def _receipt(proof: dict[str, Any], one: dict[str, Any], _trusted: Trusted) -> str:
    logs, said = logs_of(one), one["chain"]
    if said["transaction"]["index"] == 0 and said["first_log_index"] != 0:
        raise Wrong("the logs of a block's first chain transaction begin at 0")
    paid = one["outcome"] == "paid"
    if one["outcome"] not in ("paid", "rejected") or (said["transfer_index"] is None) == paid:
        raise Wrong("the chain shows another outcome")
    terms = one["terms"]
    amount = int(terms["amount_minor"]).to_bytes(32, "big")
    parties = word(terms["token"]) + word(terms["creditor"]) + amount
    place = said["log_index"] - said["first_log_index"]
    if not 0 <= place < len(logs):
        raise Wrong("the log is not of this chain transaction")
    address, topics, data = logs[place]
    sequence = terms["sequence"].to_bytes(32, "big")
    mine = [word(terms["debtor"]), sequence, bytes.fromhex(one["reference"][2:])]
    _same("who emits the log", proof["rail"]["address"], "0x" + address.hex())
    _same("the log's topics", [SETTLED if paid else REJECTED, *mine], topics)
    _same("the log's parties and amount", parties, data[:96])
    outcomes = [each for each in logs if each[0] == address and each[1][:3] == [SETTLED, *mine[:2]]]
    _same("how often its sequence was settled", int(paid), len(outcomes))
    if not paid:
        code = int.from_bytes(data[96:], "big")
        if len(data) != 128 or not 1 <= code <= 9:
            raise Wrong("a rejection without its reason")
        return f"rejected by the rail for reason {code}"
    _same("the log's length", 96, len(data))
    _transfer(logs, place, said["transfer_index"] - said["first_log_index"], one)
    return f"Settled and its exact Transfer of {_amount(one)}"


def _transfer(logs: list[list[Any]], settled: int, place: int, one: dict[str, Any]) -> None:
    """Refuse what is not the Transfer of this Settled: the k-th of its terms goes with the k-th."""
    terms = one["terms"]
    amount = int(terms["amount_minor"]).to_bytes(32, "big")
    topics = [TRANSFER, word(terms["debtor"]), word(terms["creditor"])]
    transfer = [bytes.fromhex(terms["token"][2:]), topics, amount]
    if not 0 <= place < len(logs) or logs[place] != transfer:
        raise Wrong("there is no such Transfer")
    rail, (_, debtor, *_rest), data = logs[settled]
    alike = [
        at for at, (who, what, how) in enumerate(logs)
        if who == rail and what[:2] == [SETTLED, debtor] and how == data
    ]  # fmt: skip
    moves = [at for at, each in enumerate(logs) if each == transfer]
    _same("its place among equal Transfers", alike.index(settled), moves.index(place))


def logs_of(one: dict[str, Any]) -> list[list[Any]]:
    """Return the logs of a settlement's receipt: address, topics and data each."""
    said = one["chain"]
    root, index = headers_of(one)[0].receipts_root, said["transaction"]["index"]
    raw = trie_leaf(root, index, _unpacked(said["receipt"]["path"]))
    status, _gas, _bloom, logs = rlp(raw[1:])
    if raw[0] != 2 or status != b"\1":
        raise Wrong("the chain transaction did not succeed")
    return list(logs)


def _outcome(_proof: dict[str, Any], one: dict[str, Any], _trusted: Trusted) -> str:
    if (one["chain"] is not None) != (one["outcome"] in ("paid", "rejected")):
        raise Wrong(f"{one['outcome']}, and the evidence says otherwise")
    return {
        "paid": "paid for good",
        "rejected": "rejected by the rail for good: nothing was paid",
        "unpaid": "ended without a payment (the rail's word)",
        "under_way": "not final: it is not counted",
    }[one["outcome"]]


def _clearance(_proof: dict[str, Any], one: dict[str, Any], _trusted: Trusted) -> str:
    said, terms = one["clearance"], one["terms"]
    if said is None:
        if one["outcome"] == "paid":
            raise Wrong("paid without one")
        return "none"
    _same("its reference", one["reference"], said["reference"])
    for name in ("token", "debtor", "creditor", "amount_minor"):
        _same(f"its {name}", terms[name], said[name])
    if one["outcome"] == "paid":
        if said["outcome"] not in ("ALLOW", "ALLOW_WITH_DATA"):
            raise Wrong(f"it says {said['outcome']}")
        at = _moment(headers_of(one)[0].timestamp * 1_000_000)
        if at > said["expires_at"] or said["created_at"] > said["expires_at"]:
            raise Wrong(f"it had expired at {at}")
    return f"{said['outcome']} under {said['policy_version']} (the rail's word)"


def _booking(proof: dict[str, Any], one: dict[str, Any], _trusted: Trusted) -> str:
    found = [e for e in standing(proof) if e.kind == "payment" and e.settlement_id == one["id"]]
    if one["outcome"] != "paid":
        if one["match"] is not None or (found and one["outcome"] != "under_way"):
            raise Wrong("booked as a payment")
        return "nothing that counts"
    if len(found) != 1:
        raise Wrong(f"booked by {len(found)} standing entries")
    (entry,), said, terms = found, one["chain"], one["terms"]
    at = (said["block"]["number"], said["block"]["hash"], said["transaction"]["hash"])
    _same("where the entry comes from", at, (entry.block_number, entry.block_hash, entry.tx_hash))
    source = f"log:{said['block']['hash']}:{said['transfer_index']}"
    if not re.fullmatch(f"{source}(:[0-9]+)?", entry.source_key):
        raise Wrong(f"entry {entry.seq} is made from {entry.source_key}, not {source}")
    amount, claim = int(terms["amount_minor"]), int(terms["claim_minor"])
    invoice = proof["invoice"]
    for code, minor in (
        (f"wallet:{terms['creditor']}:{terms['symbol']}", amount),
        (f"wallet:{terms['debtor']}:{terms['symbol']}", -amount),
        (f"receivable:{invoice['seller']['id']}:{invoice['currency']}", -claim),
        (f"payable:{invoice['buyer']['id']}:{invoice['currency']}", claim),
    ):
        _same(f"what moved on {code}", minor, entry.posted(code))
    match = one["match"]
    if match is None:
        raise Wrong("not matched")
    log = f"log:{said['block']['hash']}:{said['log_index']}"
    _same("what was matched", (log, entry.seq), (match["log"], match["entry_seq"]))
    return f"entry {entry.seq}, match {match['id']}"


def _sums(proof: dict[str, Any]) -> str:
    invoice = proof["invoice"]
    payable, credited, paid = (
        int(invoice[f"{name}_minor"]) for name in ("payable", "credited", "paid")
    )
    shown = [int(s["terms"]["claim_minor"]) for s in proof["settlements"] if s["outcome"] == "paid"]
    account = f"receivable:{invoice['seller']['id']}:{invoice['currency']}"
    by_people = -sum(e.posted(account) for e in standing(proof) if e.kind == "attribution")
    _same("the sum of what was paid", paid, sum(shown) + by_people)
    if by_people < 0 or not shown:
        raise Wrong("nothing was paid on the chain")
    notes = [e for e in standing(proof) if e.invoice_id in proof["credit_notes"]]
    _same("the sum of the credit notes", credited, -sum(entry.posted(account) for entry in notes))
    left = payable - credited - paid
    _same("the state", invoice["state"], "PARTLY_PAID" if left else "PAID")
    if left < 0 or not paid:
        raise Wrong("more was paid than was due, or nothing")
    outside = f", {by_people} of it outside the rail (by the books alone)" if by_people else ""
    due = f"{payable - credited} minor units of {invoice['currency']}"
    return f"{invoice['state']}: {paid} of {due}{outside}"


# What is known from elsewhere.


def _document(proof: dict[str, Any], trusted: Trusted) -> str:
    said = proof["invoice"]["document"]
    if trusted.document is None:
        raise NotCompared(f"--document, whose SHA-256 has to be {said['sha256']}")
    _same("the document's SHA-256", said["sha256"], sha256(trusted.document).hexdigest())
    _same("its length", said["length"], len(trusted.document))
    return f"SHA-256 {said['sha256']}, as the file's"


def _known_root(proof: dict[str, Any], trusted: Trusted) -> str:
    head = proof["journal"]["head"]
    if trusted.journal_root is None:
        raise NotCompared(f"--journal-root, {head['root']} over {head['seq']} entries")
    _same("the journal's root", trusted.journal_root, head["root"])
    return f"{head['root']} over {head['seq']} entries"


def _known_blocks(proof: dict[str, Any], trusted: Trusted) -> str:
    shown = [headers_of(each) for each in proof["settlements"] if each["chain"] is not None]
    if not shown:
        raise Wrong("no block is shown")
    if not trusted.block_hashes:
        asked = sorted({f"block {headers[0].number} {headers[0].hash}" for headers in shown})
        raise NotCompared(f"--block-hash; ask any node for {', '.join(asked)}")
    left = set(trusted.block_hashes)
    for headers in shown:
        known = {header.hash for header in headers} & set(trusted.block_hashes)
        if not known:
            raise Wrong(f"block {headers[0].number} does not lead to any of the given hashes")
        left -= known
    if left:
        raise Wrong(f"{sorted(left)[0]} is in no chain of headers here")
    return "every block leads to one of the given hashes"


_OUTSIDE = (
    ("the document is the invoice's", _document),
    ("the journal is the known one", _known_root),
    ("the blocks are the chain's", _known_blocks),
)


# Bytes: RLP, Merkle-Patricia paths, Keccak.


def _unpacked(text: str) -> list[bytes]:
    """Return the RLP items that a packed text holds: base64 of zlib of one after the other."""
    machine = zlib.decompressobj()
    content = machine.decompress(b64decode(text, validate=True), UNPACKED_BYTES_MAX)
    if not machine.eof or machine.unused_data or machine.unconsumed_tail:
        raise Wrong("packed bytes that do not end where they should")
    items = []
    while content:
        _, end = _rlp_item(content, 0, 0)
        items.append(content[:end])
        content = content[end:]
    if not 1 <= len(items) <= 1000:
        raise Wrong(f"{len(items)} items packed")
    return items


def rlp(encoded: bytes) -> Any:
    """Return the one item that is encoded. Source: Ethereum Yellow Paper, appendix B."""
    item, end = _rlp_item(encoded, 0, 0)
    if end != len(encoded):
        raise Wrong("bytes behind an item")
    return item


def _rlp_item(encoded: bytes, at: int, depth: int) -> tuple[Any, int]:
    first = encoded[at]
    if first < 0x80:
        return encoded[at : at + 1], at + 1
    code, start = first - (0x80 if first < 0xC0 else 0xC0), at + 1
    if code > 55:
        size = code - 55
        code = int.from_bytes(encoded[start : start + size], "big")
        if code < 56 or encoded[start] == 0:
            raise Wrong("a length in a longer form than it needs")
        start += size
    end = start + code
    if end > len(encoded) or depth > 8:
        raise Wrong("an item that ends too late or lies too deep")
    if first < 0xC0:
        if code == 1 and encoded[start] < 0x80:
            raise Wrong("a byte in a longer form than it needs")
        return encoded[start:end], end
    items = []
    while start < end:
        item, start = _rlp_item(encoded, start, depth + 1)
        items.append(item)
    if start != end:
        raise Wrong("an item that reaches beyond its list")
    return items, end


def trie_leaf(root: bytes, index: int, nodes: list[bytes]) -> bytes:
    """Return what stands under `index`, by nodes from the root down, not one more or less.

    Source: Ethereum Yellow Paper, appendix D. Values as long as these leave no node inside another.
    """
    body = index.to_bytes((index.bit_length() + 7) // 8, "big")
    key = body if len(body) == 1 and body[0] < 0x80 else bytes([0x80 + len(body)]) + body
    way = key.hex()
    for place, raw in enumerate(nodes):
        if keccak(raw) != root:
            raise Wrong("a node of the trie that is not the one named above it")
        node = rlp(raw)
        if len(node) == 17:
            root, way = node[int(way[0], 16)], way[1:]
            continue
        digits, root = node
        kind, rest = int(digits.hex()[0], 16), digits.hex()[1:]
        if kind > 3 or (kind % 2 == 0 and rest[0] != "0"):
            raise Wrong("a path of another form")
        steps = rest if kind % 2 else rest[1:]
        if not way.startswith(steps):
            raise Wrong("the trie has nothing at this place")
        way = way[len(steps) :]
        if kind >= 2:
            if way or place + 1 != len(nodes):
                raise Wrong("nodes of the trie that are not on the way")
            return bytes(root)
    raise Wrong("the nodes of the trie end before the leaf")


def word(address: str) -> bytes:
    """Return an address as 32 bytes."""
    return bytes.fromhex(address[2:]).rjust(32, b"\0")


_MASK = 2**64 - 1
_ROUNDS = (
    0x1, 0x8082, 0x800000000000808A, 0x8000000080008000, 0x808B, 0x80000001, 0x8000000080008081,
    0x8000000000008009, 0x8A, 0x88, 0x80008009, 0x8000000A, 0x8000808B, 0x800000000000008B,
    0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x800A,
    0x800000008000000A, 0x8000000080008081, 0x8000000000008080, 0x80000001, 0x8000000080008008,
)  # fmt: skip
_TURNS = (
    0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14,
)  # fmt: skip
_MOVES = tuple(
    (y + 5 * ((2 * x + 3 * y) % 5), x + 5 * y, _TURNS[x + 5 * y])
    for y in range(5)
    for x in range(5)
)


def keccak(preimage: bytes) -> bytes:
    """Return Keccak-256 as Ethereum uses it. Source: The Keccak reference, version 3.0."""
    rate = 136
    padded = bytearray(preimage + b"\1" + b"\0" * (rate - 1 - len(preimage) % rate))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), rate):
        for at in range(17):
            lanes[at] ^= int.from_bytes(padded[start + 8 * at : start + 8 * at + 8], "little")
        for constant in _ROUNDS:
            lanes = _round(lanes)
            lanes[0] ^= constant
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _round(lanes: list[int]) -> list[int]:
    sums = [
        lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)
    ]
    mixed = [
        sums[x - 1] ^ ((sums[(x + 1) % 5] << 1 | sums[(x + 1) % 5] >> 63) & _MASK) for x in range(5)
    ]
    moved = [0] * 25
    for to, at, turn in _MOVES:
        lane = lanes[at] ^ mixed[at % 5]
        moved[to] = (lane << turn | lane >> 64 - turn) & _MASK
    return [
        moved[at] ^ (~moved[at - at % 5 + (at + 1) % 5] & moved[at - at % 5 + (at + 2) % 5])
        for at in range(25)
    ]


TRANSFER = keccak(b"Transfer(address,address,uint256)")
SETTLED = keccak(b"Settled(address,uint256,bytes32,address,address,uint256)")
REJECTED = keccak(b"Rejected(address,uint256,bytes32,address,address,uint256,uint8)")


# The command.


def main(arguments: list[str] | None = None) -> int:
    """Check a file, print, and return the exit code."""
    parser = argparse.ArgumentParser(description="Check a proof of payment, offline.")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--document", type=Path, help="the invoice's original file: is it this one?"
    )
    parser.add_argument(
        "--block-hash", action="append", default=[], metavar="0x…",
        help="a block hash that a node of your own gave you; may be repeated",
    )  # fmt: skip
    parser.add_argument("--journal-root", help="a root of the rail's journal that you noted")
    parser.add_argument(
        "--confirmations", type=int, default=CONFIRMATIONS, help="blocks that make final"
    )
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    asked = parser.parse_args(arguments)
    try:
        content = asked.file.read_bytes()
        document = None if asked.document is None else asked.document.read_bytes()
    except OSError as error:
        print(f"proof: {error.filename} cannot be read: {error.strerror}", file=sys.stderr)
        print("  check its path; `settle proof INVOICE -o FILE` writes a proof", file=sys.stderr)
        return 2
    hashes = tuple(each.lower() for each in asked.block_hash)
    trusted = Trusted(hashes, asked.journal_root, document, asked.confirmations)
    checks = verify(content, trusted)
    ok = holds(checks)
    if asked.json:
        print(json.dumps({"ok": ok, "checks": [each._asdict() for each in checks]}, indent=2))
        return 0 if ok else 1
    words = {True: "ok", False: "WRONG", None: "-"}
    width = max(len(each.name) for each in checks)
    for each in checks:
        print(f"{each.name:<{width}}  {words[each.ok]:<5}  {each.said}")
    print("all hold" if ok else "NOT PROVEN")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
