"""A block's receipts as rows: what is ours, by slicing, each Settled with its exact Transfer.

Pure, and the hot path: two logs a payment pass here, so rows are plain tuples in the tables' order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from settlement.chain import rail_abi
from settlement.chain.port import Address, BlockRef, Log, Receipt
from settlement.errors import ChainUnreachable
from settlement.money import MINOR_MAX

LOG_COLUMNS = (
    "log_index",
    "tx_index",
    "tx_hash",
    "block_hash",
    "block_number",
    "address",
    "name",
    "token",
    "debtor",
    "creditor",
    "amount_minor",
    "sequence",
    "reference",
    "code",
    "detail",
    "pair_index",
)
RECEIPT_COLUMNS = (
    "block_hash",
    "tx_index",
    "tx_hash",
    "block_number",
    "sender",
    "status",
    "gas_used",
    "gas_price_wei",
    "depth",
    "books",
)
_ADDRESS, _NAME, _AMOUNT = (LOG_COLUMNS.index(n) for n in ("address", "name", "amount_minor"))
_WORD = 64
_ZEROS = "0" * 48
_FREEZES = {rail_abi.FROZEN: "Frozen", rail_abi.UNFROZEN: "Unfrozen"}
_LISTINGS = {
    rail_abi.PARTICIPANT_LISTED: "ParticipantListed",
    rail_abi.PARTICIPANT_UNLISTED: "ParticipantUnlisted",
}

_Terms: TypeAlias = tuple[str, str, str, int | None]
"""Token, debtor, creditor, amount: what a Settled and its Transfer have to share."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Whose logs and receipts are ours, and how deep a chain transaction has to be."""

    rail: Address
    decimals: Mapping[Address, int]
    """Of every listed token."""
    signers: Collection[Address]
    booking_depth: Callable[[int], int]
    """Confirmations for a total in whole units."""


@dataclass(slots=True)
class Rows:
    """What is to be stored of a run of blocks."""

    receipts: list[tuple[Any, ...]] = field(default_factory=list)
    logs: list[tuple[Any, ...]] = field(default_factory=list)


def decode(block: BlockRef, receipts: Sequence[Receipt], ours: Filter, rows: Rows) -> None:
    """Append to `rows` what is ours in one block.

    Raises:
        ChainUnreachable: receipts or logs are missing.
    """
    if len(receipts) != block.tx_count:
        raise _incomplete(block, f"{len(receipts)} receipts of {block.tx_count}")
    log_count = 0
    for receipt in receipts:
        if receipt.logs:
            # Numbered through the block without a gap, or the node kept some back.
            if receipt.logs[0].log_index != log_count:
                raise _incomplete(block, f"no log {log_count}")
            log_count += len(receipt.logs)
            if receipt.logs[-1].log_index != log_count - 1:
                raise _incomplete(block, f"a gap before log {log_count - 1}")
        found = _logs(block, receipt, ours) if receipt.logs else []
        if found or receipt.sender in ours.signers:
            rows.logs += found
            rows.receipts.append(_receipt(block, receipt, _depth(found, ours)))
    if block.has_logs != (log_count > 0):
        raise _incomplete(block, f"{log_count} logs, against its header")


def _receipt(block: BlockRef, receipt: Receipt, depth: int) -> tuple[Any, ...]:
    return (
        block.hash,
        receipt.tx_index,
        receipt.tx_hash,
        block.number,
        receipt.sender,
        receipt.status,
        receipt.gas_used,
        receipt.gas_price_wei,
        depth,
        "due",
    )


def _logs(block: BlockRef, receipt: Receipt, ours: Filter) -> list[tuple[Any, ...]]:
    """Return the rows of one chain transaction's logs that are ours, paired."""
    rows: list[tuple[Any, ...]] = []
    transfers: dict[_Terms, list[int]] = {}
    settled: dict[_Terms, list[int]] = {}
    rail, tokens = ours.rail, ours.decimals
    place = (receipt.tx_index, receipt.tx_hash, block.hash, block.number)
    for log in receipt.logs:
        address, _, _, log_index = log
        # Address and topic: anybody can emit an event that looks like the rail's.
        if address in tokens:
            fields = _token_log(log)
        elif address == rail:
            fields = _rail_log(log)
        else:
            continue
        rows.append((log_index, *place, address, *fields))
        name = fields[0]
        if name == "Transfer":
            transfers.setdefault(fields[1:5], []).append(log_index)
        elif name == "Settled":
            settled.setdefault(fields[1:5], []).append(log_index)
    pairs: dict[int, int] = {}
    for terms, promised in settled.items():
        # The k-th with the k-th: two equal payments in one batch have two transfers. An amount
        # that does not fit is None on both sides, and no payment of ours.
        if terms in transfers and terms[3] is not None:
            for one, other in zip(promised, transfers[terms], strict=False):
                pairs[one], pairs[other] = other, one
    return [(*row, pairs.get(row[0])) for row in rows]


def _token_log(log: Log) -> tuple[Any, ...]:
    address, topics, data, _ = log
    if len(topics) != 3 or len(data) != 66 or topics[0] != rail_abi.TRANSFER:
        return _standing(log, _FREEZES, address)
    debtor, creditor = "0x" + topics[1][26:], "0x" + topics[2][26:]
    amount = _number(data[2:])
    detail = None if amount is not None else json.dumps({"amount": str(int(data, 16))})
    return ("Transfer", address, debtor, creditor, amount, None, None, None, detail)


def _rail_log(log: Log) -> tuple[Any, ...]:
    _, topics, data, _ = log
    kind = topics[0] if topics else None
    if kind == rail_abi.SETTLED and len(topics) == 4 and len(data) == 2 + 3 * _WORD:
        return _payment("Settled", topics, data, None)
    if kind == rail_abi.REJECTED and len(topics) == 4 and len(data) == 2 + 4 * _WORD:
        return _payment("Rejected", topics, data, int(data[194:], 16))
    if kind == rail_abi.MANDATE_SET and len(topics) == 3 and len(data) == 2 + 3 * _WORD:
        caps = [int(data[2 + _WORD * n : 2 + _WORD * (n + 1)], 16) for n in range(3)]
        names = ("cap_per_payment", "cap_per_day", "expiry")
        terms = json.dumps({name: str(cap) for name, cap in zip(names, caps, strict=True)})
        return _mandate("MandateSet", topics, terms)
    if kind == rail_abi.MANDATE_REVOKED and len(topics) == 3:
        return _mandate("MandateRevoked", topics, None)
    return _standing(log, _LISTINGS, None)


def _payment(name: str, topics: Sequence[str], data: str, code: int | None) -> tuple[Any, ...]:
    _, debtor, sequence_word, reference = topics
    sequence, amount = _number(sequence_word[2:]), _number(data[130:194])
    detail = None
    if sequence is None or amount is None:
        words = {"sequence": int(sequence_word, 16), "amount": int(data[130:194], 16)}
        detail = json.dumps({word: str(value) for word, value in words.items()})
    token, creditor = "0x" + data[26:66], "0x" + data[90:130]
    return (name, token, "0x" + debtor[26:], creditor, amount, sequence, reference, code, detail)


def _mandate(name: str, topics: Sequence[str], terms: str | None) -> tuple[Any, ...]:
    token, debtor = "0x" + topics[2][26:], "0x" + topics[1][26:]
    return (name, token, debtor, None, None, None, None, None, terms)


def _standing(log: Log, names: Mapping[str, str], token: Address | None) -> tuple[Any, ...]:
    """Return what a log says of one wallet's place on a contract; `other` where it says nothing."""
    name = names.get(log.topics[0]) if len(log.topics) == 2 else None
    if name is None or log.data != "0x":
        return _other(log)
    return (name, token, "0x" + log.topics[1][26:], None, None, None, None, None, None)


def _number(digits: str) -> int | None:
    """Return a 32-byte word as a number, None where it does not fit 63 bits."""
    if digits[:48] != _ZEROS:
        return None
    value = int(digits[48:], 16)
    return value if value <= MINOR_MAX else None


def _other(log: Log) -> tuple[Any, ...]:
    words = json.dumps({"topics": log.topics, "data": log.data})
    return ("other", None, None, None, None, None, None, None, words)


def _depth(logs: Sequence[Sequence[Any]], ours: Filter) -> int:
    """Return the confirmations at which the chain transaction's largest total is booked."""
    totals: dict[Address, int] = {}
    for row in logs:
        if row[_NAME] == "Transfer":
            # A number that does not fit is the largest there is.
            amount = MINOR_MAX if row[_AMOUNT] is None else row[_AMOUNT]
            totals[row[_ADDRESS]] = totals.get(row[_ADDRESS], 0) + amount
    units = (total // 10 ** ours.decimals[token] for token, total in totals.items())
    return ours.booking_depth(max(units, default=0))


def _incomplete(block: BlockRef, what: str) -> ChainUnreachable:
    return ChainUnreachable(f"the node gave {what}, for block {block.number} {block.hash}")
