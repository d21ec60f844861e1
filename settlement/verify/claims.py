"""I16 no invoice overpaid, I5 and I6 acknowledged writes, and what is set aside for whom.

Judged from the database alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from hashlib import sha256

from settlement.verify.database import as_bytes
from settlement.verify.findings import Finding
from settlement.verify.journal import Entry
from settlement.verify.scene import Scene

_UNPAID_ENDS = ("REJECTED", "CANCELLED")
_SET_ASIDE = ("CLEARED", "CLAIMED", "SUBMITTED", "CONFIRMING")
_OWN_ID = re.compile(rb"\b(?:inv|stl)_[0-9a-f]{32}\b")
_TABLE_OF = {"inv": "invoice", "stl": "settlement"}


def invoices(scene: Scene) -> Finding:
    """I16: settled + in flight - returned <= payable - credited, and the sums are true."""
    finding = Finding("I16", "no invoice overpaid")
    in_flight: dict[str, int] = defaultdict(int)
    settled: dict[str, int] = defaultdict(int)
    for invoice_id, state, claim in scene.database.stream(
        "SELECT invoice_id, state, SUM(claim_minor) FROM settlement GROUP BY invoice_id, state"
    ):
        if state == "SETTLED":
            settled[invoice_id] += int(claim)
        elif state not in _UNPAID_ENDS:
            in_flight[invoice_id] += int(claim)
    # What people said that money from outside the rail, or nobody's loss, has settled of it.
    for invoice_id, claim in scene.database.stream(
        "SELECT invoice_id, SUM(claim_minor) FROM break_effect"
        " WHERE live AND claim_minor IS NOT NULL AND act <> 'return' GROUP BY invoice_id"
    ):
        settled[invoice_id] += int(claim)
    notes = dict(
        scene.database.stream(
            "SELECT preceding_id, SUM(payable_minor) FROM invoice"
            " WHERE preceding_id IS NOT NULL AND type_code = '381' GROUP BY preceding_id"
        )
    )
    # Now: asking for an invoice's sum adds it.
    count, paying = 0, len(in_flight.keys() | settled.keys())
    for key, kind, state, payable, flying, paid, returned, credited in scene.database.stream(
        "SELECT id, type_code, state, payable_minor, in_flight_minor, settled_minor,"
        " returned_minor, credited_minor FROM invoice"
    ):
        count += 1
        if min(paid, flying, returned, credited) < 0:
            finding.against(f"{key} has a sum below zero")
        if state not in ("ACCEPTED", "PARTLY_PAID", "PAID") and (paid or flying):
            finding.against(f"{key} is {state}, with {flying} in flight and {paid} settled")
        if state == "ACCEPTED" and paid:
            finding.against(f"{key} is ACCEPTED, and {paid} of it is settled")
        if paid + flying - returned > payable - credited:
            finding.against(
                f"{key}: settled {paid} + in flight {flying} - returned {returned} is more than"
                f" payable {payable} - credited {credited}"
            )
        if flying != in_flight[key]:
            finding.against(f"{key}: in flight {flying}, its settlements say {in_flight[key]}")
        if paid != settled[key]:
            finding.against(
                f"{key}: settled {paid}, its settlements and attributions say {settled[key]}"
            )
        if kind != "381" and credited != int(notes.get(key, 0)):
            finding.against(f"{key}: credited {credited}, its notes say {notes.get(key, 0)}")
        if state == "PAID" and paid - returned < payable - credited:
            finding.against(f"{key} is PAID with {paid} of {payable - credited}")
    finding.counts = {"invoices": count, "with_settlements": paying}
    return finding


def acknowledged(scene: Scene) -> Finding:
    """I5, I6: what an acknowledged answer names is there, with its first event and its document."""
    finding = Finding("I5/I6", "acknowledged writes are there")
    known = {
        "invoice": {row[0] for row in scene.database.stream("SELECT id FROM invoice")},
        "settlement": {row[0] for row in scene.database.stream("SELECT id FROM settlement")},
    }
    answers = 0
    for caller, route, key, body in scene.database.stream(
        "SELECT caller, route, key, body FROM idempotency WHERE status BETWEEN 200 AND 299"
    ):
        answers += 1
        for named in {match.group().decode() for match in _OWN_ID.finditer(as_bytes(body))}:
            if named not in known[_TABLE_OF[named[:3]]]:
                finding.against(f"{caller} {route} {key!r} was answered with {named}: not there")
    for table, ids in known.items():
        with_event = {
            row[0]
            for row in scene.database.stream(f"SELECT DISTINCT {table}_id FROM {table}_event")
        }
        for key in sorted(ids - with_event):
            finding.against(f"{key} has no event of its beginning")
    documents = _judge_documents(scene, finding)
    finding.counts = {
        "answers": answers,
        "documents": documents,
        **{f"{table}s": len(ids) for table, ids in known.items()},
    }
    return finding


def _judge_documents(scene: Scene, finding: Finding) -> int:
    """Bring forward documents that are not the bytes that came in, and who names another one."""
    count = 0
    for digest, content in scene.database.stream("SELECT sha256, content FROM document"):
        count += 1
        if sha256(as_bytes(content)).hexdigest() != digest:
            finding.against(f"document {digest} is not what came in: its bytes have another hash")
    for key, invoice_id in scene.database.stream(
        "SELECT s.id, s.invoice_id FROM settlement s JOIN invoice i ON i.id = s.invoice_id"
        " WHERE s.document_sha256 <> i.document_sha256"
    ):
        finding.against(f"{key} pays another document than {invoice_id} names")
    return count


class SetAside:
    """RESERVED: exactly the live settlements between clearance and booking have funds set aside."""

    def __init__(self) -> None:
        self._held: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def take(self, entry: Entry) -> None:
        """Add up an entry's pending postings by settlement."""
        for posting in entry.postings:
            if posting.phase == "pending":
                self._held[entry.settlement_id or f"je_{entry.seq}"][posting.code] += posting.amount

    def by_account(self) -> dict[str, tuple[int, int]]:
        """Return, by account code, what is set aside of it, and for it by others."""
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for held in self._held.values():
            for code, amount in held.items():
                sums[code][amount > 0] += abs(amount)
        return {code: (reserved, expected) for code, (reserved, expected) in sums.items()}

    def close(self, scene: Scene) -> Finding:
        """Compare what is set aside with what should be; ends the gathering."""
        finding = Finding("RESERVED", "set aside while under way, and only then")
        holding = 0
        for key, state, token, debtor, creditor, amount in scene.database.stream(
            "SELECT id, state, token, debtor_wallet, creditor_wallet, amount_minor FROM settlement"
        ):
            held = {code: sum_ for code, sum_ in self._held.pop(key, {}).items() if sum_}
            symbol = scene.tokens.get(token, "?")
            full = {f"wallet:{debtor}:{symbol}": -amount, f"wallet:{creditor}:{symbol}": amount}
            holding += bool(held)
            if state == "NEEDS_REVIEW":
                continue
            if held != (full if state in _SET_ASIDE else {}):
                finding.against(f"{key} is {state} and has set aside {held or 'nothing'}")
        for key, sums in self._held.items():
            if any(sums.values()):
                finding.against(f"{key} has set aside {dict(sums)}, and is no settlement")
        finding.counts = {"holding": holding}
        return finding
