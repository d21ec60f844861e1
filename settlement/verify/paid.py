"""When an invoice was called paid, against when its payments were final: a part of I10.

An invoice counts a payment in the very commit that makes it SETTLED, not before and not later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from settlement.verify.findings import Finding
from settlement.verify.scene import Scene

Moments = Mapping[str, Mapping[int, int]]
"""Per invoice, in their order: moments, and what of its claim became final at each."""

_FINALIZED = (
    "SELECT s.invoice_id, e.at, s.claim_minor FROM settlement_event e"
    " JOIN settlement s ON s.id = e.settlement_id WHERE e.move = 'finalized' ORDER BY e.id"
)
_CALLED = (
    "SELECT e.invoice_id, e.at, e.move, e.actor, i.payable_minor, i.credited_minor,"
    " i.returned_minor FROM invoice_event e JOIN invoice i ON i.id = e.invoice_id"
    " WHERE e.move IN ('paid', 'part_paid') ORDER BY e.id"
)
_CREDITED = "SELECT preceding_id FROM invoice WHERE type_code = '381'"
_ATTRIBUTED = (
    "SELECT invoice_id, created_at, undone_at, claim_minor, created_by FROM break_effect"
    " WHERE claim_minor IS NOT NULL AND act <> 'return'"
)
_RAIL = "rail"


def judge_invoices(scene: Scene, finding: Finding) -> None:
    """Bring forward each invoice that was called paid otherwise than its payments became final."""
    finals = _finals(scene)
    credited = {row[0] for row in scene.database.stream(_CREDITED)}
    attributed = _attributed(scene)
    by_people = {(key, one.at, one.by) for key, each in attributed.items() for one in each}
    called: dict[str, dict[int, str]] = defaultdict(dict)
    terms: dict[str, tuple[int, int, int]] = {}
    for key, at, move, actor, *amounts in scene.database.stream(_CALLED):
        if actor == _RAIL:
            called[key][at] = move  # Two ticks in one moment are told as one.
            terms[key] = (amounts[0], amounts[1], amounts[2])
        elif (key, at, actor) in by_people:
            continue  # Somebody said that money from outside the rail pays it.
        elif move != "paid" or key not in credited or key not in finals:
            finding.against(f"{key} was called {move} by {actor}, with no payment or credit note")
    for key, moments in called.items():
        final = finals.get(key, {})
        for at in moments.keys() - final.keys():
            finding.against(
                f"{key} was called {moments[at]} at {at}, when no settlement of it became final"
            )
        for at in final.keys() - moments.keys():
            finding.against(f"{key} was not called paid at {at}, when a settlement became final")
        if final.keys() == moments.keys():
            _judge_sums(finding, key, final, moments, terms[key], attributed.get(key, ()))
    for key in finals.keys() - called.keys():
        finding.against(f"{key} was never called paid, and a settlement of it is final")
    finding.counts["invoices_called_paid"] = len(called)


class _Attributed(NamedTuple):
    """What somebody said was paid outside the rail, from when, and until when."""

    at: int
    until: int | None
    minor: int
    by: str

    def stood(self, at: int) -> bool:
        """Whether it counted at a moment."""
        return self.at <= at and (self.until is None or at < self.until)


def _attributed(scene: Scene) -> Mapping[str, Sequence[_Attributed]]:
    found: dict[str, list[_Attributed]] = defaultdict(list)
    for key, at, until, minor, by in scene.database.stream(_ATTRIBUTED):
        found[key].append(_Attributed(at, until, int(minor), by))
    return found


def _finals(scene: Scene) -> Moments:
    finals: dict[str, dict[int, int]] = defaultdict(dict)
    for key, at, claim in scene.database.stream(_FINALIZED):
        finals[key][at] = finals[key].get(at, 0) + claim
    return finals


def _judge_sums(
    finding: Finding,
    key: str,
    final: Mapping[int, int],
    moments: Mapping[int, str],
    terms: tuple[int, int, int],
    attributed: Sequence[_Attributed],
) -> None:
    """Hold each word against what had become final by then; credits may have come later."""
    payable, credited, returned = terms
    on_chain = 0
    for at, claim in final.items():
        on_chain += claim
        so_far = on_chain + sum(one.minor for one in attributed if one.stood(at))
        if moments[at] == "paid" and so_far < payable - credited:
            finding.against(f"{key} was called paid at {at}, with {so_far} of {payable} final")
        if moments[at] == "part_paid" and so_far - returned >= payable:
            finding.against(f"{key} was called part_paid at {at}, with all of {payable} final")
