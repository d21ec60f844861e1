"""The sums that are kept beside the journal for speed: they have to be what the postings add up to.

What is cleared is decided on them.
"""

from __future__ import annotations

from collections import defaultdict

from settlement.verify.claims import SetAside
from settlement.verify.findings import Finding
from settlement.verify.journal import Entry
from settlement.verify.scene import Scene


class KeptSums:
    """SUMS: each account's kept sums are those of its postings."""

    def __init__(self) -> None:
        self._posted: dict[str, int] = defaultdict(int)

    def take(self, entry: Entry) -> None:
        """Add an entry's money up."""
        for posting in entry.postings:
            if posting.phase == "posted":
                self._posted[posting.code] += posting.amount

    def close(self, scene: Scene, set_aside: SetAside) -> Finding:
        """Compare the sums with those that are kept."""
        finding = Finding("SUMS", "kept sums are those of the postings")
        pending = set_aside.by_account()
        kept = {
            # Sums in wei do not always fit 63 bits: they are kept in two parts.
            code: [high * 2**32 + low, *pending_sums]
            for code, high, low, *pending_sums in scene.database.stream(
                "SELECT a.code, b.posted_high, b.posted_minor, b.reserved_minor, b.expected_minor"
                " FROM balance b JOIN account a ON a.id = b.account_id"
            )
        }
        for code in sorted(self._posted.keys() | pending.keys() | kept.keys()):
            added_up = [self._posted.get(code, 0), *pending.get(code, (0, 0))]
            if kept.get(code, [0, 0, 0]) != added_up:
                finding.against(f"{code}: kept {kept.get(code)}, the postings say {added_up}")
        finding.counts = {"accounts": len(kept)}
        return finding
