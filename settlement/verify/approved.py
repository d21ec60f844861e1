"""APPROVED: nobody approved what his own hand made, and nothing was paid before it was approved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from settlement.verify.database import Database
from settlement.verify.findings import Finding

_REQUESTS = (
    "SELECT id, kind, subject, terms, what_hash, maker, needed, state FROM approval_request"
    " ORDER BY id"
)
_DECISIONS = (
    "SELECT approval_id, maker, what_hash, checker, verdict FROM approval_decision ORDER BY id"
)
_ROTATED = "SELECT prefix, rotated_from FROM api_key WHERE rotated_from IS NOT NULL"
_UNAPPROVED = (
    "SELECT id, state FROM settlement WHERE approved_by IS NULL"
    " AND state NOT IN ('INSTRUCTED', 'HELD', 'CANCELLED') ORDER BY id"
)
_SEEN = (
    "invoice_id", "document_sha256", "rail", "token", "debtor_id", "creditor_id", "debtor_wallet",
    "creditor_wallet", "sequence", "reference", "amount_minor", "claim_minor", "execution_date",
)  # fmt: skip
_SETTLEMENTS = (
    f"SELECT s.id, s.approved_by, {', '.join(f's.{name}' for name in _SEEN)} FROM settlement s"
    " JOIN approval_request a ON a.subject = s.id AND a.kind = 'settlement' ORDER BY s.id"
)
_BY_PEOPLE = (
    "SELECT id, approved_by FROM settlement WHERE approved_by <> 'policy'"
    " AND approved_by IS NOT NULL ORDER BY id"
)


def approved(database: Database) -> Finding:
    """Return the check APPROVED."""
    finding = Finding("APPROVED", "what needs a second person has one")
    said: dict[str, list[tuple[Any, ...]]] = {}
    for approval_id, *decision in database.rows(_DECISIONS):
        said.setdefault(approval_id, []).append(tuple(decision))
    settlements = {key: row for key, *row in database.rows(_SETTLEMENTS)}
    rotated: dict[str, str] = dict(database.rows(_ROTATED))
    given: set[str] = set()
    requests = 0
    for row in database.stream(_REQUESTS):
        requests += 1
        fault = _fault(row, said.get(row[0], []), rotated)
        if fault is None and row[1] == "settlement" and row[7] == "approved" and row[6]:
            given.add(row[2])
            fault = _differs(row, said.get(row[0], []), settlements.get(row[2]))
        if fault is not None:
            finding.against(f"{row[0]}: {fault}")
    for key, state in database.rows(_UNAPPROVED):
        finding.against(f"{key} is {state}, and nobody has approved it")
    for key, who in database.rows(_BY_PEOPLE):
        if key not in given:
            finding.against(f"{key} is called approved by {who}, and no approval of it was given")
    finding.counts = {"requests": requests, "decisions": sum(map(len, said.values()))}
    return finding


def _fault(
    row: tuple[Any, ...], decisions: list[tuple[Any, ...]], rotated: Mapping[str, str]
) -> str | None:
    """Say what is wrong with a request; None for nothing. Pure."""
    _id, kind, subject, terms, what_hash, maker, needed, state = row
    text = json.dumps([kind, subject, terms], ensure_ascii=False, separators=(",", ":"))
    if sha256(text.encode()).hexdigest() != what_hash:
        return "its hash is not that of its terms"
    for its_maker, seen_hash, checker, _verdict in decisions:
        if _hand(checker, rotated) == _hand(maker, rotated) or its_maker != maker:
            return f"{checker} decided about what {maker} has made"
        if seen_hash != what_hash:
            return f"{checker} has seen something else"
    approvers = {_hand(each[2], rotated) for each in decisions if each[3] == "approve"}
    if state == "approved" and len(approvers) < needed:
        return f"it is approved by {len(approvers)} of {needed}"
    return None


def _hand(who: str, rotated: Mapping[str, str]) -> str:
    """Return a person, or the first key of the line that a key was rotated from. Pure."""
    hand = who.partition(":")[2] or who
    met = {hand}
    while (before := rotated.get(hand)) is not None and before not in met:
        met.add(hand := before)
    return hand


def _differs(
    row: tuple[Any, ...], decisions: list[tuple[Any, ...]], settlement: list[Any] | None
) -> str | None:
    """Say how a settlement differs from what was approved of it; None where it does not. Pure."""
    if settlement is None:
        return f"there is no settlement {row[2]}"
    terms, approved_by = json.loads(row[3]), settlement[0]
    for name, value in zip(_SEEN, settlement[1:], strict=True):
        if terms.get(name) != value:
            return f"{row[2]} has another {name} than was approved"
    names = ", ".join(each[2] for each in decisions if each[3] == "approve")
    if approved_by not in (None, names):
        return f"{row[2]} is called approved by {approved_by}, not by {names}"
    return None
