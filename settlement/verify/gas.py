"""Gas, a part of I2: each final chain transaction of our signers has one entry that paid for it.

A balance alone does not show it: the books take a difference in an operator's coins for a top-up.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from settlement.verify.findings import Finding
from settlement.verify.journal import Entry
from settlement.verify.scene import Scene
from settlement.verify.sending import Sent


class _Burnt(NamedTuple):
    """An entry of gas, as it is booked; `effect` is None where it does not say just that."""

    seq: int
    block_number: int | None
    reverses_seq: int | None
    effect: tuple[str, int] | None


class Gas:
    """Every entry of gas, gathered entry by entry."""

    def __init__(self) -> None:
        self._booked: dict[tuple[str, str], list[_Burnt]] = defaultdict(list)
        """By block hash and chain transaction."""
        self._reversed: set[int] = set()

    def take(self, entry: Entry) -> None:
        """Gather one entry."""
        if entry.reverses_seq is not None:
            self._reversed.add(entry.reverses_seq)
        if entry.kind == "gas":
            burnt = _Burnt(entry.seq, entry.block_number, entry.reverses_seq, _effect(entry))
            self._booked[entry.block_hash or "", entry.tx_hash or ""].append(burnt)

    def judge(self, scene: Scene, ours: Sent, finding: Finding) -> None:
        """Hold the entries that stand against what was mined, each way."""
        judged = 0
        for mined in scene.seen.mined.values():
            found = self._booked.pop((mined.block_hash, mined.tx_hash), [])
            standing = [each for each in found if each.seq not in self._reversed]
            before_us = mined.nonce < ours.opened_at[mined.signer]
            if not scene.is_judged(mined.block_number) or before_us:
                continue
            judged += 1
            if len(standing) != (1 if mined.gas_wei else 0):
                finding.against(
                    f"the gas of {mined.tx_hash}, {mined.gas_wei} wei of {mined.signer},"
                    f" has {len(standing)} entries"
                )
            for each in standing:
                if each.effect != (mined.signer, mined.gas_wei):
                    finding.against(
                        f"je_{each.seq} books {each.effect} for the gas of {mined.tx_hash}:"
                        f" {mined.signer} paid {mined.gas_wei} wei"
                    )
        for (block_hash, tx_hash), found in self._booked.items():
            for each in found:
                if each.seq not in self._reversed and scene.is_judged(each.block_number):
                    finding.against(
                        f"je_{each.seq} books gas of {tx_hash or 'nothing'} in {block_hash}:"
                        " none of our signers has it there"
                    )
        finding.counts["gas_paid"] = judged


def _effect(entry: Entry) -> tuple[str, int] | None:
    """Return who paid how many wei; None where the postings say anything else."""
    posted: dict[str, int] = defaultdict(int)
    for posting in entry.postings:
        posted[posting.code if posting.phase == "posted" else posting.phase] += posting.amount
    operator = next((code.split(":")[1] for code in posted if code.startswith("gas:")), "")
    wei = posted.get(f"gas:{operator}:WEI", 0)
    says = {f"gas:{operator}:WEI": wei, f"coin:{operator}:WEI": -wei}
    return (operator, wei) if posted == says else None
