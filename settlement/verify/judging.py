"""All checks in the order of the invariants, and the checker as one function.

Each check is judged in the module of its noun; the journal is read once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable

from settlement.verify import (
    approved,
    attempts,
    audit_chain,
    books,
    claims,
    clearances,
    gas,
    journal,
    kept,
    limited,
    moves,
    payments,
    registry,
    sending,
    told,
)
from settlement.verify.findings import Finding
from settlement.verify.rpc import Call
from settlement.verify.scene import Question, Scene, open_scene


def violations(
    database_url: str,
    node: str | Call,
    *,
    at: int | None = None,
    confirmations: int = 12,
    quiescent: bool = False,
    booking_tiers: tuple[tuple[int, int], ...] = (),
) -> list[Finding]:
    """Return the checks that are violated, each with its evidence; none if all hold.

    `node` is an address, or a callable `node(method, params)` in this process. `booking_tiers` are
    (from whole units, confirmations) of a policy that never changed; without them depths are not
    judged.

    Raises:
        NotJudged: one side cannot be read, or they do not belong together.
    """
    question = Question(database_url, node, at, confirmations, quiescent, booking_tiers)
    with open_scene(question, silent) as scene:
        return [finding for finding in judge(scene, silent) if not finding.ok]


def judge(scene: Scene, progress: Callable[[str], None]) -> list[Finding]:
    """Make every check, in the order of the invariants."""
    progress("reading the journal")
    zero_sum, history = journal.ZeroSum(_symbols(scene)), journal.History()
    gathered, set_aside, sums = books.Books(scene), claims.SetAside(), kept.KeptSums()
    burnt = gas.Gas()
    for entry in journal.entries(scene.database, history.finding):
        for reader in (zero_sum, history, gathered, set_aside, sums, burnt):
            reader.take(entry)
    progress("judging")
    sent = sending.sent(scene)
    accounted = books.accounted(scene, gathered)
    burnt.judge(scene, sent, accounted)
    findings = [
        payments.no_double_pay(scene),
        accounted,
        zero_sum.close(),
        books.ledger_is_chain(scene, gathered),
        claims.acknowledged(scene),
        history.close(scene.database),
        sending.nonces(scene, sent),
        attempts.attempts(scene, sent),
        payments.finality(scene),
        told.announced(scene),
        told.failed_closed(scene),
        claims.invoices(scene),
        clearances.clearances(scene, sent),
        registry.registry(scene, sent),
        sums.close(scene, set_aside),
        set_aside.close(scene),
        moves.obeyed(scene),
        moves.matched(scene),
        limited.limited(scene.database),
        approved.approved(scene.database),
        audit_chain.audit(scene.database),
    ]
    if scene.quiescent:
        findings.append(moves.live(scene))
    return findings


def silent(_sentence: str) -> None:
    """Say nothing of the progress."""


def _symbols(scene: Scene) -> dict[str, str]:
    return {symbol: scene.currencies[token] for token, symbol in scene.tokens.items()}
