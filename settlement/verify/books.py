"""I2 nothing unaccounted, I4 ledger = chain: the journal's money against the node's.

Judged at a final block that the posting run has passed.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from settlement.verify.findings import Finding
from settlement.verify.journal import Entry
from settlement.verify.node import Transfer
from settlement.verify.pairs import Mark, mark
from settlement.verify.scene import Scene
from settlement.verify.sources import judge_sources
from settlement.verify.standing import Claims, judge_standing
from settlement.verify.words import BALANCE_OF, TOTAL_SUPPLY, ZERO_ADDRESS, padded

_FROM_LOGS = ("payment", "transfer", "mint", "burn")

Effect = dict[str, int]
"""What is posted, by account code; without zeros."""


class _Paid(NamedTuple):
    """The settlement that a Transfer paid."""

    id: str
    debtor_id: str
    creditor_id: str
    claim_minor: int
    currency: str


class _Booked(NamedTuple):
    """An entry that was made from a log."""

    seq: int
    kind: str
    block_number: int | None
    tx_hash: str | None
    settlement_id: str | None
    effect: int
    """Hash of what it posts: of many entries only this is kept."""


class Books:
    """What the journal holds, gathered entry by entry."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.from_logs: dict[Mark, list[_Booked]] = defaultdict(list)
        self.reversed: set[int] = set()
        self.balances: dict[str, int] = defaultdict(int)
        """Posted, by account code, at the judged block."""
        self.strange: list[str] = []
        self.claims = Claims()

    def take(self, entry: Entry) -> None:
        """Gather one entry."""
        self.claims.take(entry)
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
        effect: Effect = {}
        for posting in entry.postings:
            if posting.phase == "posted":
                effect[posting.code] = effect.get(posting.code, 0) + posting.amount
        self.from_logs[words[1], int(words[2])].append(
            _Booked(
                entry.seq,
                entry.kind,
                entry.block_number,
                entry.tx_hash,
                entry.settlement_id,
                _hash(effect),
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
        place = mark(transfer.place)
        paid = payments.get(place)
        if _touches(scene, transfer):
            expected.add(place)
            _judge_transfer(scene, finding, transfer, paid, books.standing(place))
    for (block_hash, index), booked in books.from_logs.items():
        for entry in booked:
            if (block_hash, index) in expected or entry.seq in books.reversed:
                continue
            if scene.is_judged(entry.block_number):
                finding.against(
                    f"je_{entry.seq} ({entry.kind}) was made from log {index} of {block_hash}:"
                    " the chain has no such Transfer of ours"
                )
    books.claims.judge(scene, finding)
    judge_standing(scene, finding)
    judge_sources(scene, finding)
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


def _payments(scene: Scene) -> dict[Mark, _Paid]:
    """Return, per exact Transfer of a settlement of ours, that settlement."""
    owners = {
        reference: _Paid(*fields)
        for reference, *fields in scene.database.stream(
            "SELECT s.reference, s.id, s.debtor_id, s.creditor_id, s.claim_minor, i.currency"
            " FROM settlement s JOIN invoice i ON i.id = s.invoice_id"
        )
    }
    return {
        mark(scene.pairs[mark(log.place)]): owners[log.reference]
        for log in scene.seen.settled
        if mark(log.place) in scene.pairs and log.reference in owners
    }


def _touches(scene: Scene, transfer: Transfer) -> bool:
    sides = (transfer.sender, transfer.receiver)
    return ZERO_ADDRESS in sides or any(side in scene.wallets for side in sides)


def _effect(scene: Scene, transfer: Transfer, paid: _Paid | None) -> Effect:
    """Return all that a Transfer has to post."""
    symbol, amount = scene.tokens[transfer.token], transfer.amount
    effect: Effect = defaultdict(int)
    for address, minor in ((transfer.sender, -amount), (transfer.receiver, amount)):
        owner = scene.wallets.get(address)
        if address == ZERO_ADDRESS:
            effect[f"liability:{transfer.token}:{symbol}"] += minor
        else:
            effect[f"wallet:{address}:{symbol}" if owner else f"outside:{symbol}"] += minor
        if paid is None and ZERO_ADDRESS not in (transfer.sender, transfer.receiver):
            effect[f"suspense:{owner or 'outside'}:{symbol}"] -= minor
    if paid is not None:
        for party, sign in ((paid.creditor_id, 1), (paid.debtor_id, -1)):
            effect[f"par:{party}:{symbol}"] -= sign * amount
            effect[f"par:{party}:{paid.currency}"] += sign * paid.claim_minor
        effect[f"receivable:{paid.creditor_id}:{paid.currency}"] -= paid.claim_minor
        effect[f"payable:{paid.debtor_id}:{paid.currency}"] += paid.claim_minor
    return effect


def _hash(effect: Effect) -> int:
    return hash(frozenset((code, amount) for code, amount in effect.items() if amount))


def _judge_transfer(
    scene: Scene,
    finding: Finding,
    transfer: Transfer,
    paid: _Paid | None,
    booked: list[_Booked],
) -> None:
    place = transfer.place
    name = f"Transfer log {place.log_index} of block {place.block_number}"
    effect = _effect(scene, transfer, paid)
    if len(booked) != 1:
        if booked or any(effect.values()):
            finding.against(f"{name} in {place.tx_hash} has {len(booked)} entries")
        return
    entry = booked[0]
    if (entry.block_number, entry.tx_hash) != (place.block_number, place.tx_hash):
        finding.against(f"je_{entry.seq} says another place than {name} in {place.tx_hash}")
    if entry.effect != _hash(effect):
        finding.against(f"je_{entry.seq} posts something else than {name} did: {dict(effect)}")
    settlement_id = paid.id if paid else None
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
