"""I2 nothing unaccounted, I4 ledger = chain: the journal's money against the node's.

Judged at a final block that the posting run has passed.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from settlement.verify.findings import Finding
from settlement.verify.journal import Entry
from settlement.verify.node import Outcome, Place, Transfer
from settlement.verify.payments import exact_transfers
from settlement.verify.scene import Scene
from settlement.verify.words import BALANCE_OF, TOTAL_SUPPLY, ZERO_ADDRESS, padded

_MONEY = ("wallet", "outside", "liability")
_FROM_LOGS = ("payment", "transfer", "mint", "burn")

Mark = tuple[str, int]
"""Block hash and log index: one log, for ever."""


class _Booked(NamedTuple):
    """An entry that was made from a log."""

    seq: int
    kind: str
    block_number: int | None
    tx_hash: str | None
    settlement_id: str | None
    effect: dict[str, int]
    """What it posts to wallets, outside and the issuer, by account code."""


class Books:
    """What the journal holds, gathered entry by entry."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.from_logs: dict[Mark, list[_Booked]] = defaultdict(list)
        self.reversed: set[int] = set()
        self.balances: dict[str, int] = defaultdict(int)
        """Posted, by account code, at the judged block."""
        self.strange: list[str] = []

    def take(self, entry: Entry) -> None:
        """Gather one entry."""
        if entry.reverses_seq is not None:
            self.reversed.add(entry.reverses_seq)
        if entry.kind in _FROM_LOGS:
            self._take_from_log(entry)
        if entry.block_number is None or entry.block_number > self._scene.at.number:
            return
        if not self._scene.is_canonical(entry.block_number, entry.block_hash):
            return
        for posting in entry.postings:
            if posting.phase == "posted":
                self.balances[posting.code] += posting.amount

    def standing(self, mark: Mark) -> list[_Booked]:
        """Return the entries of a log that were not reversed."""
        return [entry for entry in self.from_logs[mark] if entry.seq not in self.reversed]

    def _take_from_log(self, entry: Entry) -> None:
        words = entry.source_key.split(":")
        if len(words) < 3 or words[0] != "log" or not words[2].isdecimal():
            self.strange.append(f"je_{entry.seq} ({entry.kind}) was made from {entry.source_key}")
            return
        effect: dict[str, int] = {}
        for posting in entry.postings:
            if posting.phase == "posted" and posting.code.startswith(_MONEY):
                effect[posting.code] = effect.get(posting.code, 0) + posting.amount
        self.from_logs[words[1], int(words[2])].append(
            _Booked(
                entry.seq,
                entry.kind,
                entry.block_number,
                entry.tx_hash,
                entry.settlement_id,
                {code: amount for code, amount in effect.items() if amount},
            )
        )


def accounted(scene: Scene, books: Books) -> Finding:
    """I2: Transfers that touch us and journal entries are one-to-one, nothing on one side only."""
    finding = Finding("I2", "nothing unaccounted")
    for sentence in books.strange:
        finding.against(sentence)
    payments = _payments(scene)
    expected: set[Mark] = set()
    for transfer in scene.seen.transfers:
        if not scene.is_judged(transfer.place.block_number):
            continue
        effect = _effect(scene, transfer)
        if effect is None:
            continue
        mark = (transfer.place.block_hash, transfer.place.log_index)
        expected.add(mark)
        _judge_transfer(finding, transfer, effect, books.standing(mark), payments.get(mark))
    for mark, booked in books.from_logs.items():
        for entry in booked:
            if mark in expected or entry.seq in books.reversed:
                continue
            if scene.is_judged(entry.block_number):
                finding.against(
                    f"je_{entry.seq} ({entry.kind}) was made from log {mark[1]} of {mark[0]}:"
                    " the chain has no such Transfer of ours"
                )
    stored = _judge_stored_logs(scene, finding)
    finding.counts = {
        "transfers": len(expected),
        "entries_from_logs": sum(len(booked) for booked in books.from_logs.values()),
        "reversed": len(books.reversed),
        "stored_logs": stored,
    }
    return finding


def ledger_is_chain(scene: Scene, books: Books) -> Finding:
    """I4: wallets are their balanceOf, supplies the liabilities, coins what operators have."""
    finding = Finding("I4", "ledger = chain")
    wallets = sorted(scene.wallets)
    codes = [
        (f"wallet:{wallet}:{symbol}", token, BALANCE_OF + padded(wallet))
        for token, symbol in scene.tokens.items()
        for wallet in wallets
    ]
    supplies = [
        (f"liability:{token}:{symbol}", token, TOTAL_SUPPLY)
        for token, symbol in scene.tokens.items()
    ]
    asked = [(token, data) for _, token, data in codes + supplies]
    answers = scene.node.numbers(asked, scene.at.hash)
    for place, (code, _, _) in enumerate(codes + supplies):
        in_books = books.balances.get(code, 0) * (1 if place < len(codes) else -1)
        if in_books != answers[place]:
            finding.against(f"{code} is {in_books} in the books, {answers[place]} on the chain")
    known = {code for code, _, _ in codes}
    for code, balance in books.balances.items():
        if code.startswith("wallet:") and balance and code not in known:
            finding.against(f"{code} is {balance} in the books, and no wallet of ours")
    operators = _judge_coins(scene, books, finding)
    finding.counts = {
        "block": scene.at.number,
        "wallet_balances": len(codes),
        "supplies": len(supplies),
        "operators": operators,
    }
    return finding


def _payments(scene: Scene) -> dict[Mark, tuple[Outcome, str | None]]:
    """Return, per exact Transfer, its Settled log and the settlement that has its reference."""
    owners = dict(scene.database.stream("SELECT reference, id FROM settlement"))
    pairs = exact_transfers(scene)
    found: dict[Mark, tuple[Outcome, str | None]] = {}
    for log in scene.seen.settled:
        transfer: Place | None = pairs.get((log.place.block_hash, log.place.log_index))
        if transfer is not None:
            mark = (transfer.block_hash, transfer.log_index)
            found[mark] = (log, owners.get(log.reference))
    return found


def _effect(scene: Scene, transfer: Transfer) -> dict[str, int] | None:
    """Return what a Transfer does to wallets, outside and issuer; None if it does not touch us."""
    symbol = scene.tokens[transfer.token]
    sides = {transfer.sender, transfer.receiver}
    if ZERO_ADDRESS not in sides and not sides & scene.wallets:
        return None
    effect: dict[str, int] = defaultdict(int)
    for address, amount in (
        (transfer.sender, -transfer.amount),
        (transfer.receiver, transfer.amount),
    ):
        if address == ZERO_ADDRESS:
            code = f"liability:{transfer.token}:{symbol}"
        elif address in scene.wallets:
            code = f"wallet:{address}:{symbol}"
        else:
            code = f"outside:{symbol}"
        effect[code] += amount
    return {code: amount for code, amount in effect.items() if amount}


def _judge_transfer(
    finding: Finding,
    transfer: Transfer,
    effect: dict[str, int],
    booked: list[_Booked],
    payment: tuple[Outcome, str | None] | None,
) -> None:
    place = transfer.place
    name = f"Transfer log {place.log_index} of block {place.block_number}"
    if len(booked) != 1:
        if booked or effect:
            finding.against(f"{name} in {place.tx_hash} has {len(booked)} entries")
        return
    entry = booked[0]
    if (entry.block_number, entry.tx_hash) != (place.block_number, place.tx_hash):
        finding.against(f"je_{entry.seq} says another place than {name} in {place.tx_hash}")
    if entry.effect != effect:
        finding.against(f"je_{entry.seq} posts {entry.effect}, {name} moved {effect}")
    settlement_id = payment[1] if payment else None
    if (entry.settlement_id, entry.kind == "payment") != (settlement_id, settlement_id is not None):
        finding.against(
            f"je_{entry.seq} ({entry.kind}) is of settlement {entry.settlement_id},"
            f" {name} is of {settlement_id}"
        )


def _judge_stored_logs(scene: Scene, finding: Finding) -> int:
    """Compare the logs that the watcher stored with the node's own."""
    on_node: dict[Mark, tuple[object, ...]] = {}
    for transfer in scene.seen.transfers:
        if scene.is_judged(transfer.place.block_number):
            on_node[transfer.place.block_hash, transfer.place.log_index] = (
                "Transfer", transfer.token, transfer.sender, transfer.receiver,
                _stored_amount(transfer.amount), None, None,
            )  # fmt: skip
    for name, logs in (("Settled", scene.seen.settled), ("Rejected", scene.seen.rejected)):
        for log in logs:
            if scene.is_judged(log.place.block_number):
                on_node[log.place.block_hash, log.place.log_index] = (
                    name, log.token, log.debtor, log.creditor,
                    _stored_amount(log.amount), log.sequence, log.reference,
                )  # fmt: skip
    count = 0
    for block_hash, index, *stored in scene.database.stream(
        "SELECT l.block_hash, l.log_index, l.name, l.token, l.debtor, l.creditor, l.amount_minor,"
        " l.sequence, l.reference FROM chain_log l JOIN block b ON b.hash = l.block_hash"
        " WHERE b.canonical AND l.name IN ('Transfer', 'Settled', 'Rejected')"
        f" AND l.block_number <= {scene.at.number}"
    ):
        count += 1
        found = on_node.pop((block_hash, index), None)
        if found != tuple(stored):
            finding.against(f"stored log {index} of {block_hash} is {stored}, the node has {found}")
    for (block_hash, index), found in on_node.items():
        finding.against(f"log {index} of {block_hash} was never stored: {found}")
    return count


def _stored_amount(amount: int) -> int | None:
    return amount if amount < 2**63 else None


def _judge_coins(scene: Scene, books: Books, finding: Finding) -> int:
    operators = sorted(
        set(scene.lanes)
        | {code.split(":")[1] for code in books.balances if code.startswith("coin:")}
    )
    for operator, wei in zip(operators, scene.node.coins(operators, scene.at.hash), strict=True):
        in_books = books.balances.get(f"coin:{operator}:WEI", 0)
        if in_books != wei:
            finding.against(f"coin:{operator}:WEI is {in_books} in the books, {wei} on the chain")
    return len(operators)
