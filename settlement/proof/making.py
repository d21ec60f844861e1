"""One file that shows to anybody that an invoice was paid: put together, and sealed by a digest.

What it holds and what it does not show is in docs/proof.md. Changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Engine
from sqlmodel import Session

from settlement.chain.port import proving
from settlement.ledger.journal import head
from settlement.ledger.stored import StoredEntry
from settlement.proof import facts
from settlement.proof.blocks import BlockEvidence, gather
from settlement.proof.journal_tree import JournalTree
from settlement.store import reading

FORMAT = "settlement-rail/proof/1"


def prove(
    engine: Engine,
    chain: object,
    tree: JournalTree,
    invoice_id: str,
    *,
    party: str | None,
    confirmations: int,
    now: datetime,
) -> bytes:
    """Return the proof that an invoice was paid, wholly or in part, as the bytes of its file.

    Raises:
        NotFound: there is no such invoice, or it is not the party's.
        NothingPaid: no payment of it is final.
        NotProvable: more happened to it than a proof can show.
        NoHeaderEvidence: the chain cannot show anything to others.
        ChainUnreachable: the node did not give the evidence.
    """
    with reading(engine) as session:
        known = facts.read(session, invoice_id, party=party)
        journal = _journal(session, tree, known)
    blocks = proving(chain)
    evidence: dict[str, BlockEvidence] = {}
    for place, settlement in zip(known.places, known.settlements, strict=True):
        if place is not None:
            if place.block_hash not in evidence:
                evidence[place.block_hash] = gather(blocks, place, confirmations)
            settlement["chain"] = evidence[place.block_hash].of(place)
    return sealed(
        {
            "format": FORMAT,
            "made_at": facts.at(now),
            "rail": known.rail,
            "finality": {"confirmations": confirmations, "head": known.head},
            "invoice": known.invoice,
            "acceptance": known.acceptance,
            "credit_notes": known.credit_notes,
            "settlements": known.settlements,
            "journal": journal,
        }
    )


def sealed(proof: dict[str, Any]) -> bytes:
    """Return a proof's bytes: one line of canonical JSON, with the digest over the rest in it."""
    digest = sha256(_canonical(proof)).hexdigest()
    return _canonical({**proof, "digest": digest}) + b"\n"


def _canonical(value: Any) -> bytes:
    """Members in order of their names, no white space, characters as themselves."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _journal(session: Session, tree: JournalTree, known: facts.Facts) -> dict[str, Any]:
    newest = head(session)
    at_head = tree.at(session, newest.seq)
    seen: dict[str, int] = {}
    entries = []
    for stored in known.entries:
        key = str(stored.entry.invoice_id)
        entries.append(
            {
                "hash": stored.hash,
                "content": _content(stored),
                "previous_of_invoice": seen.get(key, 0),
                "path": at_head.path(stored.seq),
            }
        )
        seen[key] = stored.seq
    return {
        "head": {
            "seq": newest.seq,
            "hash": newest.hash,
            "previous_of_invoice": at_head.previous_of_invoice(newest.seq),
            "path": at_head.path(newest.seq),
            "root": at_head.root(),
        },
        "entries": entries,
    }


def _content(stored: StoredEntry) -> list[Any]:
    """Return the array whose text is hashed; see `ledger.journal`."""
    entry = stored.entry
    return [
        stored.prev_hash, stored.seq, entry.kind, entry.source_key, entry.invoice_id,
        entry.settlement_id, entry.block_number, entry.block_hash, entry.tx_hash,
        entry.reverses_seq, entry.reason, entry.value_date, stored.booked_at,
        [[line.code, line.phase, line.minor] for line in stored.lines],
    ]  # fmt: skip
