"""The state tables, written down a second time, and whether every event obeyed them; I11 liveness.

A test holds this copy equal to the tables that the product moves by.
"""

from __future__ import annotations

from collections.abc import Mapping

from settlement.verify.findings import Finding
from settlement.verify.scene import Scene

INVOICE = """
    ISSUED accept ACCEPTED / ISSUED query QUERIED / ISSUED reject REJECTED / ISSUED cancel CANCELLED
    QUERIED accept ACCEPTED / QUERIED reject REJECTED / QUERIED cancel CANCELLED
    ACCEPTED part_paid PARTLY_PAID / ACCEPTED paid PAID / ACCEPTED credited CANCELLED
    PARTLY_PAID part_paid PARTLY_PAID / PARTLY_PAID paid PAID
    PARTLY_PAID taken_back PARTLY_PAID / PAID taken_back PARTLY_PAID
    PARTLY_PAID unpaid ACCEPTED / PAID unpaid ACCEPTED
    PARTLY_PAID returned PARTLY_PAID / PAID returned PARTLY_PAID
    ACCEPTED drop CANCELLED
"""
SETTLEMENT = """
    INSTRUCTED hold HELD / INSTRUCTED clear CLEARED / INSTRUCTED refuse REJECTED
    INSTRUCTED cancel CANCELLED
    HELD release INSTRUCTED / HELD refuse REJECTED / HELD cancel CANCELLED
    CLEARED hold HELD / CLEARED lapse INSTRUCTED / CLEARED cancel CANCELLED / CLEARED claim CLAIMED
    CLAIMED submit SUBMITTED / CLAIMED seen CONFIRMING / SUBMITTED seen CONFIRMING
    CONFIRMING orphaned SUBMITTED / CONFIRMING booked BOOKED / CONFIRMING unclaim INSTRUCTED
    CONFIRMING suspend HELD / CONFIRMING rejected REJECTED / REJECTED retry INSTRUCTED
    BOOKED orphaned SUBMITTED / BOOKED finalized SETTLED
    CLAIMED review NEEDS_REVIEW / SUBMITTED review NEEDS_REVIEW
    CONFIRMING review NEEDS_REVIEW / BOOKED review NEEDS_REVIEW
    NEEDS_REVIEW found CONFIRMING / NEEDS_REVIEW resume INSTRUCTED / NEEDS_REVIEW close REJECTED
    CANCELLED recover INSTRUCTED
"""
CHAIN_TX = """
    CLAIMED sign SIGNED / SIGNED send SENT / SIGNED see SEEN / SENT see SEEN / SEEN orphan SENT
    SEEN finalize FINAL / SEEN revert REVERTED / SEEN replace REPLACED
"""
PARTICIPANT = """
    applied activate active / applied close closed
    active renew active / active suspend suspended / active expire expired / active close closed
    suspended reinstate active / suspended close closed
    expired renew active / expired suspend suspended / expired close closed
"""

_TAKEN_ON = {"apply": "applied", "register": "active"}
_BEGINNINGS = {"invoice": "ISSUED", "settlement": "INSTRUCTED", "chain_tx": "CLAIMED"}
_REMARKS = frozenset({("ACCEPTED", "credit"), ("PARTLY_PAID", "credit")})
"""Events of an invoice that leave it where it is: a credit note took a part of it."""
_TERMINAL = ("SETTLED", "REJECTED", "CANCELLED")
_ENDED = ("FINAL", "REVERTED", "REPLACED")


def table(text: str) -> dict[tuple[str, str], str]:
    """Return `{(from, move): to}` of a table above."""
    lines = [part.split() for line in text.strip().splitlines() for part in line.split("/")]
    return {(start, move): end for start, move, end in lines}


TABLES: Mapping[str, Mapping[tuple[str, str], str]] = {
    "invoice": table(INVOICE),
    "settlement": table(SETTLEMENT),
    "chain_tx": table(CHAIN_TX),
    "participant": table(PARTICIPANT),
}


def obeyed(scene: Scene) -> Finding:
    """MOVES: each event's move leads from the state before, and the last one to the row's state."""
    finding = Finding("MOVES", "state tables obeyed")
    credit_notes = {
        row[0] for row in scene.database.stream("SELECT id FROM invoice WHERE type_code = '381'")
    }
    events = 0
    for noun in _BEGINNINGS:
        moves = TABLES[noun]
        states: dict[str, str] = {}
        for key, move, state in scene.database.stream(
            f"SELECT {noun}_id, move, state FROM {noun}_event ORDER BY id"
        ):
            events += 1
            before = states.get(key)
            lawful: str | None
            if before is None:
                lawful = "ACCEPTED" if key in credit_notes else _BEGINNINGS[noun]
            else:
                lawful = before if (before, move) in _REMARKS else moves.get((before, move))
            if state != lawful:
                finding.against(f"{key}: {move} from {before or 'nothing'} to {state}")
            states[key] = state
        for key, state in scene.database.stream(f"SELECT id, state FROM {noun}"):
            if states.get(key) != state:
                finding.against(f"{key} is {state}, its last event says {states.get(key)}")
    finding.counts = {"events": events + _participants(scene, finding)}
    return finding


def _participants(scene: Scene, finding: Finding) -> int:
    """Judge participants' events the same way: most of theirs move no state, and say so."""
    moves = TABLES["participant"]
    named = {move for _state, move in moves}
    rows = {
        key: (state, how)
        for key, state, how in scene.database.stream(
            "SELECT id, state, applied_by FROM participant"
        )
    }
    states: dict[str, str] = {}
    events = 0
    for key, move, state in scene.database.stream(
        "SELECT participant_id, move, state FROM participant_event ORDER BY id"
    ):
        events += 1
        before = states.get(key)
        if before is None and rows[key][1] == "migration":
            lawful = state  # From before there were events.
        elif before is None:
            lawful = _TAKEN_ON.get(move, "nothing")
        else:
            lawful = moves.get((before, move), "nothing") if move in named else before
        if state != lawful:
            finding.against(f"{key}: {move} from {before or 'nothing'} to {state}")
        states[key] = state
    for key, (state, how) in rows.items():
        if states.get(key, state if how == "migration" else None) != state:
            finding.against(f"{key} is {state}, its last event says {states.get(key)}")
    return events


def matched(scene: Scene) -> Finding:
    """MATCHED: each live match joins a settlement, its own log and its own standing entry."""
    finding = Finding("MATCHED", "matches agree with the chain")
    logs = {
        (log.place.block_hash, log.place.log_index): log.reference for log in scene.seen.settled
    }
    reversed_seqs = {
        row[0]
        for row in scene.database.stream(
            "SELECT reverses_seq FROM journal_entry WHERE reverses_seq IS NOT NULL"
        )
    }
    live = 0
    for key, reference, block_hash, index, number, seq, *entry in scene.database.stream(
        "SELECT s.id, s.reference, m.block_hash, m.log_index, m.block_number, m.entry_seq, e.kind,"
        " e.settlement_id, e.source_key FROM settlement_match m"
        " LEFT JOIN settlement s ON s.id = m.settlement_id"
        " LEFT JOIN journal_entry e ON e.seq = m.entry_seq WHERE m.live"
    ):
        kind, entry_settlement, source = entry
        if not (scene.is_judged(number) or scene.quiescent):
            continue  # The chain may have replaced its block since the worker last looked.
        live += 1
        if logs.get((block_hash, index)) != reference:
            finding.against(f"{key} is matched to log {index} of {block_hash}: not its Settled log")
            continue
        transfer = scene.pairs.get((block_hash, index))
        made_from = f"log:{block_hash}:{transfer.log_index}" if transfer else "nothing"
        standing = seq not in reversed_seqs and ":".join((source or "").split(":")[:3]) == made_from
        if (kind, entry_settlement) != ("payment", key) or not standing:
            finding.against(
                f"{key} is matched to je_{seq} ({kind}), which does not book its payment"
            )
    finding.counts = {"live": live}
    return finding


def live(scene: Scene) -> Finding:
    """I11: nothing is stuck. Asked for only when all faults have stopped and the worker is idle."""
    finding = Finding("I11", "liveness")
    database = scene.database
    for key, state in database.stream("SELECT id, state FROM settlement"):
        if state not in _TERMINAL and state != "HELD":  # Held: a person's turn, by the policy.
            finding.against(f"{key} is {state}")
    for key, state in database.stream("SELECT id, state FROM chain_tx"):
        if state not in _ENDED:
            finding.against(f"{key} is {state}")
    for signer, state in database.stream("SELECT signer, state FROM lane"):
        if state == "halted":
            finding.against(f"the lane of {signer} is halted")
    for block, index in database.stream(
        "SELECT r.block_number, r.tx_index FROM receipt r JOIN block b ON b.hash = r.block_hash"
        f" WHERE b.canonical AND r.books = 'due' AND r.block_number <= {scene.final_number}"
    ):
        finding.against(f"the receipt {index} of final block {block} is not booked")
    watched = database.value("SELECT MAX(number) FROM cursor WHERE name = 'head'") or 0
    if watched < scene.final_number:
        finding.against(f"the watcher stands at {watched}, block {scene.final_number} is final")
    for key, _ in database.stream(
        "SELECT s.id, m.id FROM settlement s"
        " LEFT JOIN settlement_match m ON m.settlement_id = s.id AND m.live"
        " WHERE s.state = 'SETTLED' AND m.id IS NULL"
    ):
        finding.against(f"{key} is SETTLED and not matched")
    finding.counts = {"watched": watched, "final": scene.final_number}
    return finding
