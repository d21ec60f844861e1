"""A block's receipts as rows: what is ours, by slicing, each Settled with its exact Transfer.

Pure, and the hot path: two logs a payment pass here, so rows are plain lists in the tables' order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from settlement.chain import rail_abi
from settlement.chain.port import Address, BlockRef, Log, Receipt
from settlement.errors import ChainUnreachable
from settlement.money import MINOR_MAX

LOG_COLUMNS = (
    "block_hash",
    "log_index",
    "tx_index",
    "tx_hash",
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
    "pair_index",
    "detail",
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
_PAIR = LOG_COLUMNS.index("pair_index")
_INDEX = LOG_COLUMNS.index("log_index")
_WORD = 64


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
    logs: list[list[Any]] = field(default_factory=list)


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


def _logs(block: BlockRef, receipt: Receipt, ours: Filter) -> list[list[Any]]:
    """Return the rows of one chain transaction's logs that are ours, paired."""
    rows: list[list[Any]] = []
    transfers: dict[tuple[str, str, str, int], list[list[Any]]] = {}
    settled: dict[tuple[str, str, str, int], list[list[Any]]] = {}
    rail, tokens = ours.rail, ours.decimals
    place = (receipt.tx_index, receipt.tx_hash, block.number)
    for log in receipt.logs:
        address = log.address
        # Address and topic: anybody can emit an event that looks like the rail's.
        if address in tokens:
            fields = _token_log(log)
            pairs = transfers
        elif address == rail:
            fields = _rail_log(log)
            pairs = settled
        else:
            continue
        row = [block.hash, log.log_index, *place, address, *fields]
        rows.append(row)
        name, token, debtor, creditor, amount_minor = fields[:5]
        if amount_minor is not None and (name == "Settled" or name == "Transfer"):
            pairs.setdefault((token, debtor, creditor, amount_minor), []).append(row)
    for terms, promised in settled.items():
        # The k-th with the k-th: two equal payments in one batch have two transfers.
        for one, other in zip(promised, transfers.get(terms, ()), strict=False):
            one[_PAIR], other[_PAIR] = other[_INDEX], one[_INDEX]
    return rows


def _token_log(log: Log) -> tuple[Any, ...]:
    topics, data = log.topics, log.data
    if len(topics) == 3 and len(data) == 66 and topics[0] == rail_abi.TRANSFER:
        amount = int(data, 16)
        fits = amount <= MINOR_MAX
        return (
            "Transfer",
            log.address,
            "0x" + topics[1][26:],
            "0x" + topics[2][26:],
            amount if fits else None,
            None,
            None,
            None,
            None,
            None if fits else json.dumps({"amount": str(amount)}),
        )
    return _other(log)


def _rail_log(log: Log) -> tuple[Any, ...]:
    topics, data = log.topics, log.data
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
    return _other(log)


def _payment(name: str, topics: Sequence[str], data: str, code: int | None) -> tuple[Any, ...]:
    sequence, amount = int(topics[2], 16), int(data[130:194], 16)
    detail = None
    if amount > MINOR_MAX or sequence > MINOR_MAX:
        detail = json.dumps({"amount": str(amount), "sequence": str(sequence)})
    return (
        name,
        "0x" + data[26:66],
        "0x" + topics[1][26:],
        "0x" + data[90:130],
        amount if amount <= MINOR_MAX else None,
        sequence if sequence <= MINOR_MAX else None,
        topics[3],
        code,
        None,
        detail,
    )


def _mandate(name: str, topics: Sequence[str], terms: str | None) -> tuple[Any, ...]:
    token, debtor = "0x" + topics[2][26:], "0x" + topics[1][26:]
    return (name, token, debtor, None, None, None, None, None, None, terms)


def _other(log: Log) -> tuple[Any, ...]:
    words = json.dumps({"topics": log.topics, "data": log.data})
    return ("other", None, None, None, None, None, None, None, None, words)


def _depth(logs: Sequence[Sequence[Any]], ours: Filter) -> int:
    """Return the confirmations at which the chain transaction's largest total is booked."""
    totals: dict[Address, int] = {}
    for row in logs:
        if row[6] == "Transfer":
            # A number that does not fit is the largest there is.
            amount = MINOR_MAX if row[10] is None else row[10]
            totals[row[5]] = totals.get(row[5], 0) + amount
    units = (total // 10 ** ours.decimals[token] for token, total in totals.items())
    return ours.booking_depth(max(units, default=0))


def _incomplete(block: BlockRef, what: str) -> ChainUnreachable:
    return ChainUnreachable(f"the node gave {what}, for block {block.number} {block.hash}")
