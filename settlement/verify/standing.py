"""What stands in the books and may, what was taken back and how: parts of I2.

Reversals undo exactly; nothing stands on an orphaned block; what is called booked is in the books;
every claim is there, once.
"""

from __future__ import annotations

from settlement.verify.findings import Finding
from settlement.verify.journal import Entry
from settlement.verify.scene import Scene

_UNREVERSED = "NOT EXISTS (SELECT 1 FROM journal_entry r WHERE r.reverses_seq = e.seq)"
_LEFT_OVER = (
    "SELECT x.seq, a.code, SUM(x.amount_minor) FROM ("
    " SELECT r.seq, p.account_id, p.phase, p.amount_minor FROM journal_entry r"
    " JOIN posting p ON p.entry_seq = r.seq WHERE r.reverses_seq IS NOT NULL"
    " UNION ALL SELECT r.seq, p.account_id, p.phase, p.amount_minor FROM journal_entry r"
    " JOIN posting p ON p.entry_seq = r.reverses_seq WHERE r.reverses_seq IS NOT NULL"
    ") x JOIN account a ON a.id = x.account_id GROUP BY x.seq, a.code, x.phase"
    " HAVING SUM(x.amount_minor) <> 0 ORDER BY x.seq"
)
_REVERSALS = (
    "SELECT r.seq, o.seq, o.kind, o.block_number, o.block_hash, o.tx_hash, o.settlement_id,"
    " r.kind, r.block_number, r.block_hash, r.tx_hash, r.settlement_id"
    " FROM journal_entry r LEFT JOIN journal_entry o ON o.seq = r.reverses_seq"
    " WHERE r.reverses_seq IS NOT NULL OR r.kind = 'reversal'"
)
_ON_ORPHANS = (
    "SELECT e.seq, e.kind, e.block_number FROM block b JOIN journal_entry e"
    " ON e.block_number = b.number AND e.block_hash = b.hash"
    f" WHERE NOT b.canonical AND e.reverses_seq IS NULL AND {_UNREVERSED}"
)
_BOOKED_WITHOUT = (
    "SELECT s.id, s.state FROM settlement s WHERE s.state IN ('BOOKED', 'SETTLED')"
    " AND NOT EXISTS (SELECT 1 FROM journal_entry e WHERE e.settlement_id = s.id"
    f" AND e.kind = 'payment' AND e.block_hash = s.block_hash AND {_UNREVERSED})"
)
_PAID_TWICE = (
    "SELECT e.settlement_id, COUNT(*) FROM journal_entry e WHERE e.kind = 'payment'"
    f" AND {_UNREVERSED} GROUP BY e.settlement_id HAVING COUNT(*) > 1"
)
_INVOICES = (
    "SELECT i.id, i.type_code, i.seller_id, i.buyer_id, i.currency, i.payable_minor,"
    " EXISTS (SELECT 1 FROM invoice_event v WHERE v.invoice_id = i.id AND v.move = 'accept')"
    " FROM invoice i"
)


def judge_standing(scene: Scene, finding: Finding) -> None:
    """Bring forward what stands and may not, and what should stand and does not."""
    database = scene.database
    for seq, code, left in database.stream(_LEFT_OVER):
        finding.against(f"je_{seq} does not undo what it reverses: {left} are left on {code}")
    for seq, of_seq, of_kind, *places in database.stream(_REVERSALS):
        of_place, kind, place = places[:4], places[4], places[5:]
        if of_seq is None or of_kind == "reversal" or kind != "reversal" or of_place != place:
            finding.against(f"je_{seq} ({kind}) is no reversal of je_{of_seq} ({of_kind})")
    for seq, kind, number in database.stream(_ON_ORPHANS):
        if scene.is_judged(number):
            finding.against(f"je_{seq} ({kind}) stands on an orphaned block {number}")
    for key, state in database.stream(_BOOKED_WITHOUT):
        finding.against(f"{key} is {state}, and no entry of its block books its payment")
    for key, count in database.stream(_PAID_TWICE):
        finding.against(f"{key} is booked as paid {count} times")


class Claims:
    """Every accepted invoice and every credit note has its entry; nothing else has."""

    def __init__(self) -> None:
        self._entries: dict[str, frozenset[tuple[str, int]]] = {}
        self._twice: list[str] = []

    def take(self, entry: Entry) -> None:
        """Gather one entry."""
        if entry.kind not in ("accept", "credit"):
            return
        key = f"{entry.kind} {entry.invoice_id}"
        if key in self._entries:
            self._twice.append(f"je_{entry.seq}: a second {key}")
        self._entries[key] = frozenset((each.code, each.amount) for each in entry.postings)

    def judge(self, scene: Scene, finding: Finding) -> None:
        """Compare what was gathered with the invoices; ends the gathering."""
        for sentence in self._twice:
            finding.against(sentence)
        for key, kind, seller, buyer, currency, payable, accepted in scene.database.stream(
            _INVOICES
        ):
            is_note = kind == "381"
            found = self._entries.pop(f"{'credit' if is_note else 'accept'} {key}", None)
            minor = -payable if is_note else payable
            # A return claim (383) makes owed again what was paid: no sale and no purchase.
            sold, bought = (
                (f"payable:{seller}:{currency}", f"receivable:{buyer}:{currency}")
                if kind == "383"
                else (f"sales:{seller}:{currency}", f"purchases:{buyer}:{currency}")
            )
            due = frozenset(
                (
                    (f"receivable:{seller}:{currency}", minor),
                    (sold, -minor),
                    (bought, minor),
                    (f"payable:{buyer}:{currency}", -minor),
                )
            )
            if found != (due if is_note or accepted else None):
                finding.against(f"{key} of {payable} {currency} is in the books as {found}")
        for key in self._entries:
            finding.against(f"{key} is in the books: there is no such invoice")
