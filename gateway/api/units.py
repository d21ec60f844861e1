"""Amounts of any unit as people read them: a currency, a listed token, or wei."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import text
from sqlmodel import Session

from settlement.documents.identifiers import minor_units
from settlement.money import format_minor

_TOKENS = text("SELECT symbol, decimals FROM token")


def token_decimals(session: Session) -> dict[str, int]:
    """Return the decimals of every token by its symbol."""
    return {row.symbol: row.decimals for row in session.connection().execute(_TOKENS)}


def amount(minor: int, unit: str, tokens: Mapping[str, int]) -> str:
    """Return the decimal string of `minor` units of a currency, token or WEI."""
    decimals = tokens.get(unit)
    if decimals is None:
        decimals = minor_units(unit)
    return format_minor(minor, decimals or 0)
