"""REGISTRY: what the admin's lane calls is what it was claimed for, and what wallets are is true.

Judges what was done and what is said of it, not who ought to be listed.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from settlement.verify.findings import Finding
from settlement.verify.scene import Scene
from settlement.verify.sending import ChainTx, Sent
from settlement.verify.words import hash_of, padded

_LIST = {
    "listed": hash_of(b"listParticipants(address[])")[2:10],
    "unlisted": hash_of(b"unlistParticipants(address[])")[2:10],
}
_FREEZE = {
    "frozen": hash_of(b"freeze(address)")[2:10],
    "free": hash_of(b"unfreeze(address)")[2:10],
}
_IS_LISTED = hash_of(b"isParticipant(address)")[:10]
_IS_FROZEN = hash_of(b"isFrozen(address)")[:10]
_LOGS = (
    "name IN ('ParticipantListed', 'ParticipantUnlisted', 'Frozen', 'Unfrozen')"
    " AND EXISTS (SELECT 1 FROM block b WHERE b.hash = l.block_hash AND b.canonical)"
)


class _Change(NamedTuple):
    """A wallet in a chain transaction of the admin's lane."""

    wallet: str
    contract: str
    effect: str


def registry(scene: Scene, ours: Sent) -> Finding:
    """REGISTRY: a lane does its own work, calls do what was claimed, wallets are what they are."""
    finding = Finding("REGISTRY", "listed and frozen as the records say")
    changes: dict[str, list[_Change]] = defaultdict(list)
    for chain_tx_id, *change in scene.database.stream(
        "SELECT chain_tx_id, wallet, contract, effect FROM registry_change"
        " ORDER BY chain_tx_id, position"
    ):
        changes[chain_tx_id].append(_Change(*change))
    admins = {s for (s,) in scene.database.stream("SELECT signer FROM lane WHERE kind = 'admin'")}
    for chain_tx in ours.chain_txs.values():
        if chain_tx.kind == "pay" and chain_tx.signer in admins:
            finding.against(f"{chain_tx.id} pays, on the admin's lane")
        if changes[chain_tx.id]:
            _judge_call(scene, finding, chain_tx, changes[chain_tx.id], admins)
    judged = _judge_standings(scene, finding)
    finding.counts = {"calls": sum(bool(each) for each in changes.values()), "wallets": judged}
    return finding


def _judge_call(
    scene: Scene, finding: Finding, chain_tx: ChainTx, changes: list[_Change], admins: set[str]
) -> None:
    effect = changes[0].effect
    if chain_tx.kind != "admin" or chain_tx.signer not in admins:
        finding.against(f"{chain_tx.id} lists or freezes, and is not of the admin's lane")
    if any((each.effect, each.contract) != (effect, chain_tx.to) for each in changes):
        finding.against(f"{chain_tx.id} mixes what it is to do, or calls another contract")
    if (chain_tx.to == scene.rail) is not (effect in _LIST) or (
        effect in _FREEZE and chain_tx.to not in scene.tokens
    ):
        finding.against(f"{chain_tx.id} makes wallets {effect} at {chain_tx.to}")
    wallets = [padded(each.wallet) for each in changes]
    words = _FREEZE.get(effect, "") + "".join(wallets)
    if effect in _LIST:
        words = f"{_LIST[effect]}{32:064x}{len(wallets):064x}" + "".join(wallets)
    if chain_tx.calldata.hex() != words:
        finding.against(f"{chain_tx.id} does something else than its {len(changes)} changes")


def _judge_standings(scene: Scene, finding: Finding) -> int:
    """Hold what the contracts say at the judged block against the records, wallet by wallet."""
    standings = [
        (wallet, contract, actual)
        for wallet, contract, actual in scene.database.stream(
            "SELECT wallet, contract, actual FROM registry_standing ORDER BY wallet, contract"
        )
    ]
    moved_later = set(
        scene.database.stream(
            f"SELECT l.debtor, l.address FROM chain_log l WHERE {_LOGS}"
            f" AND l.block_number > {scene.at.number}"
        )
    )
    still = [each for each in standings if each[:2] not in moved_later]
    calls = [
        (contract, (_IS_LISTED if contract == scene.rail else _IS_FROZEN) + padded(wallet))
        for wallet, contract, _ in still
    ]
    for (wallet, contract, actual), answer in zip(
        still, scene.node.numbers(calls, scene.at.hash), strict=True
    ):
        on_rail = contract == scene.rail
        found = ("listed" if answer else "unlisted") if on_rail else (
            "frozen" if answer else "free"
        )  # fmt: skip
        if actual != found:
            finding.against(f"{wallet} is {found} at {contract}, the records say {actual}")
    return len(still)
