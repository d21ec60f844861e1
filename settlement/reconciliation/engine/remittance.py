"""The reference in a bank's free text: `YOUR INVOICE INV-2026-17 THANK YOU` names INV-2026-17."""

from __future__ import annotations

from sqlmodel import Session

from settlement.store.bulk import rows, run_many

_DIGITS = frozenset("0123456789")
_AROUND = ".,;:!?()[]{}<>\"'/\\#*-_+"
_LEAST = 4
"""Shorter numbers are dates, counts and places in a list."""


def reference_in(text: str) -> str | None:
    """Return the one word that holds a digit; None where there is none, or more than one. Pure.

    Letters beyond ASCII stay as they are, as in every reference.
    """
    words = {w.strip(_AROUND) for w in text.split() if not _DIGITS.isdisjoint(w)}
    named = [word for word in words if len(word) >= _LEAST]
    if len(named) != 1:
        return None
    (word,) = named
    if word.isascii():
        return word.upper()
    return "".join(c.upper() if c.isascii() else c for c in word)


def name_references(session: Session, *, after: int, through: int) -> int:
    """Give records of bank entries whose bank gave no structured reference the one in their text.

    Looks at entries with an id above `after`, up to `through`. Returns how many got one.
    """
    told = rows(
        session,
        "SELECT e.id, e.remittance FROM bank_entry e WHERE e.id > ? AND e.id <= ?"
        " AND e.status = 'BOOK' AND e.duplicate_of IS NULL AND e.remittance IS NOT NULL"
        " AND COALESCE(REPLACE(e.creditor_reference, ' ', ''), '') = ''",
        (after, through),
    )
    found = [
        {"origin": f"bank:{key}", "reference": reference}
        for key, text in told
        if (reference := reference_in(text)) is not None
    ]
    return run_many(
        session,
        "UPDATE recon_record SET reference = :reference WHERE origin = :origin"
        " AND source = 'bank' AND reference IS NULL",
        found,
    )
