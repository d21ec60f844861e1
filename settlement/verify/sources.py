"""What each entry of the books was made from, beyond the chain: parts of I2.

A bank's entries and what people decided are one-to-one with their entries in the journal, with the
same amounts, each undone where it was taken back; no entry is of a kind that nobody knows, and no
account of another kind or owner than its code says.
"""

from __future__ import annotations

from settlement.verify.findings import Finding
from settlement.verify.scene import Scene

KINDS = frozenset(
    {
        "accept", "credit", "reserve", "void", "payment", "transfer", "mint", "burn", "gas",
        "funding", "reversal", "bank", "reserve_movement", "write_off", "adjustment",
        "attribution",
    }
)  # fmt: skip

_ALL_KINDS = "SELECT kind, MIN(seq), COUNT(*) FROM journal_entry GROUP BY kind ORDER BY kind"
_OF_NO_BANK = (
    "SELECT seq FROM journal_entry WHERE kind = 'bank'"
    " EXCEPT SELECT posted_seq FROM bank_entry WHERE posted_seq IS NOT NULL ORDER BY 1"
)
_UNLIKE_THE_BANK = (
    "SELECT b.id, b.posted_seq FROM bank_entry b"
    " LEFT JOIN journal_entry e ON e.seq = b.posted_seq"
    " LEFT JOIN account a ON a.code = 'nostro:' || b.account_id || ':' || b.currency"
    " LEFT JOIN posting p ON p.entry_seq = e.seq AND p.account_id = a.id AND p.phase = 'posted'"
    " WHERE b.posted_seq IS NOT NULL"
    " GROUP BY b.id, b.posted_seq, b.amount_minor, b.status, b.duplicate_of, e.kind, e.source_key"
    " HAVING e.kind IS NULL OR e.kind <> 'bank' OR e.source_key <> 'bank:' || b.id"
    " OR b.status <> 'BOOK' OR b.duplicate_of IS NOT NULL"
    " OR COALESCE(SUM(p.amount_minor), 0) <> b.amount_minor ORDER BY b.id"
)
_DECIDED = "('write_off', 'adjustment', 'attribution')"
_BY_NOBODY = (
    f"SELECT source_key FROM journal_entry WHERE kind IN {_DECIDED}"
    " EXCEPT SELECT source_key FROM break_effect WHERE source_key IS NOT NULL ORDER BY 1"
)
_NOT_AS_DECIDED = (
    "SELECT f.id, f.act, f.source_key FROM break_effect f"
    " LEFT JOIN journal_entry e ON e.source_key = f.source_key"
    " LEFT JOIN journal_entry r ON r.reverses_seq = e.seq"
    " WHERE f.source_key IS NOT NULL AND (e.seq IS NULL OR e.reason IS NULL"
    " OR (r.seq IS NULL) <> (f.undone_at IS NULL) OR e.kind <> CASE f.act"
    " WHEN 'write_off' THEN 'write_off' WHEN 'adjust' THEN 'adjustment' ELSE 'attribution' END)"
    " ORDER BY f.id"
)
_WITHOUT_A_SECOND = (
    "SELECT f.break_id, f.act, COUNT(*) FROM break_effect f WHERE f.act IN ('write_off', 'adjust')"
    " GROUP BY f.break_id, f.act HAVING COUNT(*) > (SELECT COUNT(*) FROM break_proposal p"
    " WHERE p.break_id = f.break_id AND p.act = f.act AND p.state = 'approved'"
    " AND p.needed <= (SELECT COUNT(DISTINCT d.decided_by) FROM break_decision d"
    "  WHERE d.proposal_id = p.id AND d.decided_by <> p.proposed_by AND d.verdict = 'approve'))"
)


def judge_sources(scene: Scene, finding: Finding) -> None:
    """Bring forward entries without a source, and sources without their entry."""
    database = scene.database
    for kind, seq, count in database.stream(_ALL_KINDS):
        if kind not in KINDS:
            finding.against(f"je_{seq} is of a kind that nobody knows, {kind} ({count} entries)")
    for code, kind, owner in database.stream("SELECT code, kind, owner FROM account"):
        of_kind, _, rest = code.partition(":")
        named = rest.rpartition(":")[0]
        whose = scene.wallets.get(named, named)
        if kind != of_kind or (whose.startswith("par_") and owner != whose):
            finding.against(f"account {code} is kept as {kind} of {owner}")
    for (seq,) in database.stream(_OF_NO_BANK):
        finding.against(f"je_{seq} is a bank's entry, and no bank entry names it")
    for key, seq in database.stream(_UNLIKE_THE_BANK):
        finding.against(f"bank entry {key} is not what je_{seq} books")
    for (source,) in database.stream(_BY_NOBODY):
        finding.against(f"{source} is in the books, and nobody is on record for it")
    for key, act, source in database.stream(_NOT_AS_DECIDED):
        finding.against(f"{key} ({act}) and its entry {source} do not agree")
    for key, act, count in database.stream(_WITHOUT_A_SECOND):
        finding.against(f"{key}: {count} of {act} without as many approvals by others")
