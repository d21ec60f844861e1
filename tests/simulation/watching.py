"""What a worker's step may not have written: the duty of another, bytes of a lane that is halted.

Looks at the database before and after; what harm it did later is the checker's to find.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulation.world import World

_DUTY = "SELECT lease_owner FROM duty WHERE name = 'chain'"
_WRITTEN = (
    "SELECT (SELECT COUNT(*) FROM block) + (SELECT COUNT(*) FROM clearance)"
    " + (SELECT COUNT(*) FROM journal_entry) AS count_"
)
"""Rows that only who has the duty writes, while no client asks for anything."""
_BARRED = (
    "SELECT COUNT(*) AS count_ FROM clearance c JOIN settlement s ON s.id = c.settlement_id"
    " JOIN participant p ON p.id IN (s.debtor_id, s.creditor_id) AND p.state <> 'active'"
    " WHERE c.outcome IN ('ALLOW', 'ALLOW_WITH_DATA')"
)
"""Clearances of parties that are suspended now: none is given while they are."""
_SENT = (
    "SELECT l.signer, l.state, COALESCE(SUM(a.send_count), 0) AS count_ FROM lane l"
    " LEFT JOIN chain_tx c ON c.signer = l.signer LEFT JOIN attempt a ON a.chain_tx_id = c.id"
    " GROUP BY l.signer, l.state"
)
_MISCOUNTED = (
    "SELECT i.id, i.state, i.settled_minor, COALESCE(s.final_minor, 0) AS final_minor"
    " FROM invoice i LEFT JOIN (SELECT invoice_id, SUM(claim_minor) AS final_minor FROM settlement"
    " WHERE state = 'SETTLED' GROUP BY invoice_id) s ON s.invoice_id = i.id"
    " WHERE i.settled_minor <> COALESCE(s.final_minor, 0)"
    " OR i.state IN ('PAID', 'PARTLY_PAID') AND s.final_minor IS NULL"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """What matters of the database at one moment."""

    holder: str
    """Who has the duty."""
    written: int
    barred: int
    sent: dict[tuple[str, str], int]
    """Times that bytes were sent, by signer and its lane's state."""


class Watch:
    """Looks at the database around every step, and again only when something was committed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: tuple[int, Moment] | None = None
        self._counted: int | None = None

    def moment(self) -> Moment:
        """Read what matters of the database now."""
        commits = self._world.files.glass.commits()
        if self._seen is None or self._seen[0] != commits:
            self._seen = (commits, _moment(self._world))
        return self._seen[1]

    def miscounted(self) -> list[str]:
        """At every moment an invoice counts as settled what is SETTLED of it, and nothing else."""
        commits = self._world.files.glass.commits()
        if commits == self._counted:
            return []  # It was said already.
        self._counted = commits
        return [
            f"I10: {row.id} is {row.state} and counts {row.settled_minor} as settled,"
            f" {row.final_minor} is"
            for row in self._world.rows(_MISCOUNTED)
        ]


def strayed(owner: str, before: Moment, after: Moment, was_left: bool) -> list[str]:
    """Say what a step of `owner` wrote that was not its own.

    Who was left in the midst of sending may still write down what it sent.
    """
    wrong = []
    if after.written != before.written and owner not in (before.holder, after.holder):
        wrong.append(f"I8: {owner} wrote what is the duty of {after.holder or 'nobody'}")
    if after.barred != before.barred:
        wrong.append(f"CLEARED: {owner} cleared a payment of a party that is suspended")
    for (signer, state), count in after.sent.items():
        if state == "halted" and not was_left and count > before.sent.get((signer, state), count):
            wrong.append(f"I8: bytes of lane {signer} were sent, which is halted")
    return wrong


def _moment(world: World) -> Moment:
    holders = world.rows(_DUTY)
    (written,) = world.rows(_WRITTEN)
    (barred,) = world.rows(_BARRED)
    sent = {(row.signer, row.state): row.count_ for row in world.rows(_SENT)}
    holder = holders[0].lease_owner or "" if holders else ""
    return Moment(holder, written.count_, barred.count_, sent)
