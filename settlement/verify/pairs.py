"""Which Transfer paid which Settled log; and Transfers of a batch that pay without one.

Pure: knows only what was read from the node.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TypeAlias

from settlement.verify.node import Place, Seen, Transfer

Mark: TypeAlias = tuple[str, int]
"""Block hash and log index: one log, for ever."""

_Terms: TypeAlias = tuple[str, str, str, str, str, int]
"""Block hash, chain transaction, token, debtor, creditor, amount."""


def mark(place: Place) -> Mark:
    """Return the name of a log."""
    return (place.block_hash, place.log_index)


def exact_transfers(seen: Seen) -> dict[Mark, Place]:
    """Return the exact Transfer of each Settled log: k-th with k-th of the same terms and chain tx.

    Keys name the Settled log.
    """
    waiting: dict[_Terms, list[Place]] = defaultdict(list)
    for transfer in seen.transfers:
        waiting[_terms(transfer)].append(transfer.place)
    taken: Counter[_Terms] = Counter()
    pairs = {}
    for log in seen.settled:
        place = log.place
        key = (place.block_hash, place.tx_hash, log.token, log.debtor, log.creditor, log.amount)
        if taken[key] < len(waiting.get(key, ())):
            pairs[mark(place)] = waiting[key][taken[key]]
            taken[key] += 1
    return pairs


def repeated(seen: Seen, pairs: dict[Mark, Place]) -> list[Transfer]:
    """Return Transfers that repeat a payment of the same chain transaction without a Settled."""
    paying = {mark(place) for place in pairs.values()}
    promised = {_terms(each) for each in seen.transfers if mark(each.place) in paying}
    return [
        each
        for each in seen.transfers
        if mark(each.place) not in paying and _terms(each) in promised
    ]


def _terms(transfer: Transfer) -> _Terms:
    place = transfer.place
    terms = (transfer.token, transfer.sender, transfer.receiver, transfer.amount)
    return (place.block_hash, place.tx_hash, *terms)
