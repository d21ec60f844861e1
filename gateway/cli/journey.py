"""A trace drawn as lines of text: the invoice, and under it everything that it went through.

Knows the API's JSON only; changes no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Step = Mapping[str, Any]

_MANY = 20
"""Settlements that are drawn in full; of a larger batch the rest is counted."""


def drawing(trace: Step) -> str:
    """Return the drawing of what `GET /v1/trace/{key}` answers."""
    batches = {each["id"]: each for each in trace["chain_txs"]}
    lines: list[str] = []
    drawn = 0
    for journey in trace["journeys"]:
        if drawn >= _MANY:
            break
        lines += _invoice(journey["invoice"])
        for place, settlement in enumerate(journey["settlements"]):
            last = place + 1 == len(journey["settlements"])
            lines += _under(_settlement(settlement, batches), last=last)
            drawn += 1
        lines.append("")
    hidden = sum(len(each["settlements"]) for each in trace["journeys"]) - drawn
    if hidden > 0:
        lines += [f"… and {hidden} more settlements of the same chain transaction; see --json", ""]
    if not trace["journeys"]:
        for batch in trace["chain_txs"]:
            lines += _batch(batch)
        lines += [line for log in trace["logs"] for line in _log(log)]
        lines += [line for entry in trace["entries"] for line in _entry(entry)]
        lines += [line for each in trace["breaks"] for line in _break(each)]
    return "\n".join(lines).rstrip()


def _invoice(invoice: Step) -> list[str]:
    kind = "credit note" if invoice["type_code"] == "381" else "invoice"
    seller, buyer = invoice["seller"], invoice["buyer"]
    lines = [
        f"{kind} {invoice['number']}  {_amount(invoice['payable'])}  {invoice['state']}",
        f"│ {invoice['id']}",
        f"│ from {seller['name']} ({seller['country']}, {seller['lei']})",
        f"│ to   {buyer['name']} ({buyer['country']}, {buyer['lei']})",
        f"│ document {invoice['document_sha256']}",
        f"│ settled {_amount(invoice['settled'])}, in flight {_amount(invoice['in_flight'])},"
        f" credited {_amount(invoice['credited'])}",
    ]
    lines += [f"│ {line}" for line in _moves(invoice["moves"])]
    lines += [f"│ {line}" for entry in invoice["entries"] for line in _entry(entry)]
    return lines


def _settlement(settlement: Step, batches: Mapping[str, Step]) -> list[str]:
    reason = f": {settlement['reason']}" if settlement["reason"] else ""
    head = [
        f"settlement {settlement['id']}  {_amount(settlement['amount'])}"
        f"  {settlement['state']} ({settlement['iso_status']}){reason}",
        f"│ end-to-end id {settlement['end_to_end_id']}",
        f"│ {settlement['debtor_wallet']} pays {settlement['creditor_wallet']},"
        f" sequence {settlement['sequence']}",
        f"│ reference {settlement['reference']}",
        *(f"│ {line}" for line in _moves(settlement["moves"])),
    ]
    parts: list[list[str]] = [_clearance(each) for each in settlement["clearances"]]
    parts += [_batch(batches[key]) for key in settlement["chain_tx_ids"] if key in batches]
    parts += [_log(each) for each in settlement["logs"]]
    parts += [_entry(each) for each in settlement["entries"]]
    parts += [_match(each) for each in settlement["matches"]]
    parts += [_break(each) for each in settlement["breaks"]]
    lines = list(head)
    for place, part in enumerate(parts):
        lines += _under(part, last=place + 1 == len(parts))
    return lines


def _clearance(step: Step) -> list[str]:
    revoked = f", revoked {_time(step['revoked_at'])}" if step["revoked_at"] else ""
    return [
        f"clearance {step['id']}  {step['outcome']}",
        f"  by {step['policy_version']}, given {_time(step['created_at'])},"
        f" until {_time(step['expires_at'])}{revoked}",
    ]


def _batch(step: Step) -> list[str]:
    count = step["member_count"]
    with_others = f", {count} payment{'s' if count != 1 else ''}" if count else ""
    total = f" of {_amount(step['total'])}" if step["total"] else ""
    lines = [
        f"chain transaction {step['id']}  {step['state']}",
        f"  nonce {step['nonce']} of {step['signer']}{with_others}{total}",
        *(f"  {line}" for line in _moves(step["moves"])),
    ]
    for attempt in step["attempts"]:
        mined = f", mined in block {step['block_number']}" if attempt["mined"] else ""
        lines.append(
            f"  attempt {attempt['hash']} ({attempt['kind']}) sent {attempt['send_count']}×"
            f"{': ' + attempt['outcome'] if attempt['outcome'] else ''}{mined}"
        )
    return lines


def _log(step: Step) -> list[str]:
    orphaned = "" if step["canonical"] else "  ORPHANED"
    code = f", code {step['code']}" if step["code"] else ""
    amount = f"  {_amount(step['amount'])}" if step["amount"] else ""
    return [
        f"{step['name']} in block {step['block_number']}{amount}{code}{orphaned}",
        f"  {step['key']}",
        f"  chain transaction {step['tx_hash']}",
    ]


def _entry(step: Step) -> list[str]:
    undone = f"  reversed by je_{step['reversed_by_seq']}" if step["reversed_by_seq"] else ""
    undoes = f" of je_{step['reverses_seq']}" if step["reverses_seq"] else ""
    block = f", block {step['block_number']}" if step["block_number"] is not None else ""
    lines = [f"{step['key']} {step['kind']}{undoes}  {_time(step['booked_at'])}{block}{undone}"]
    width = max((len(line["account"]) for line in step["lines"]), default=0)
    for line in step["lines"]:
        pending = "  pending" if line["phase"] == "pending" else ""
        lines.append(f"  {line['account']:<{width}}  {_amount(line['amount']):>24}{pending}")
    return lines


def _match(step: Step) -> list[str]:
    state = "agrees" if step["live"] else f"undone {_time(step['undone_at'])}"
    return [f"{step['key']} {state}: {step['log_key']} and je_{step['entry_seq']}"]


def _break(step: Step) -> list[str]:
    closed = f"  closed: {step['closed_reason']}" if step["closed_at"] else "  OPEN"
    return [f"break {step['id']} {step['kind']}: {step['reason']}{closed}"]


def _moves(moves: Sequence[Step]) -> Iterator[str]:
    for move in moves:
        actor = f" by {move['actor']}" if move["actor"] else ""
        reason = f": {move['reason']}" if move["reason"] else ""
        yield f"{_time(move['at'])}  {move['move']} → {move['state']}{actor}{reason}"


def _under(lines: Sequence[str], *, last: bool) -> list[str]:
    branch, stem = ("└─ ", "   ") if last else ("├─ ", "│  ")
    return [(branch if place == 0 else stem) + line for place, line in enumerate(lines)]


def _amount(amount: Step) -> str:
    return f"{amount['amount']} {amount['unit']}"


def _time(moment: str) -> str:
    return moment[:19].replace("T", " ")
