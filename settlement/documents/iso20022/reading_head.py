"""What stands before a statement's entries: whose it is, its period, balances and sums.

Checks that it is there and well written; whether it adds up is judged with the entries.
"""

from __future__ import annotations

from lxml import etree

from settlement.documents.iso20022.reading_model import Balance, ReadHead, StatementInvalid, Total
from settlement.documents.iso20022.reading_source import Message
from settlement.documents.iso20022.reading_values import (
    Misfit,
    day,
    decimals_of,
    identification,
    minor,
    sign,
)

_OPENING = ("OPBD", "PRCD")
_CLOSING = ("CLBD",)
_SEQUENCE_MAX = 2**53


class _Holder:
    """A statement's element, asked by plain paths; a misfit names the path."""

    def __init__(self, element: etree._Element, namespace: str, path: str) -> None:
        self.element, self.path = element, path
        self._prefix = f"{{{namespace}}}"
        self.line = element.sourceline or 1

    def all(self, path: str) -> list[_Holder]:
        """Return every element at a path."""
        steps = "/".join(self._prefix + step for step in path.split("/"))
        namespace = self._prefix[1:-1]
        return [
            _Holder(found, namespace, f"{self.path}/{path}")
            for found in self.element.findall(steps)
        ]

    def text(self, *paths: str) -> str | None:
        """Return the first text at any of the paths."""
        for path in paths:
            for found in self.all(path):
                text = (found.element.text or "").strip()
                if text:
                    return text
        return None

    def need(self, *paths: str) -> str:
        """Return the first text at any of the paths.

        Raises:
            StatementInvalid: there is none.
        """
        found = self.text(*paths)
        if found is None:
            raise StatementInvalid(
                f"{paths[0]} is missing", line=self.line, path=f"{self.path}/{paths[0]}",
                repair="ask the bank for a complete statement",
            )  # fmt: skip
        return found

    def refuse(self, misfit: Misfit) -> StatementInvalid:
        """Return the refusal of a value in this element."""
        return misfit.at(self.line, self.path)


def head_of(element: etree._Element, message: Message, kind: str, step: str) -> ReadHead:
    """Return the head of a statement, whose entries need not have been read yet.

    Raises:
        StatementInvalid: something is missing or is not what it must be.
    """
    root = "BkToCstmrStmt" if kind == "statement" else "BkToCstmrDbtCdtNtfctn"
    holder = _Holder(element, message.namespace, f"/Document/{root}/{step}")
    account = holder.need("Acct/Id/IBAN", "Acct/Id/Othr/Id").replace(" ", "").upper()
    try:
        balances = [_balance(each) for each in holder.all("Bal")]
        currency = _currency(holder, balances)
        decimals = decimals_of(currency)
        every, credits, debits = (
            _total(holder, name, decimals) for name in ("TtlNtries", "TtlCdtNtries", "TtlDbtNtries")
        )
        from_date, to_date = (
            None if text is None else day(text)
            for text in (holder.text("FrToDt/FrDtTm"), holder.text("FrToDt/ToDtTm"))
        )
        sequence, statement_id = _sequence(holder), holder.need("Id")
        identification(statement_id)
    except Misfit as misfit:
        raise holder.refuse(misfit) from misfit
    opening, closing = _booked(balances, _OPENING), _booked(balances, _CLOSING)
    if kind == "statement":
        _require_balances(holder, opening, closing)
    return ReadHead(
        kind, statement_id, sequence, account, currency,
        from_date or (opening.day if opening else None),
        to_date or (closing.day if closing else None),
        opening, closing, every, credits, debits, holder.line, holder.path,
    )  # fmt: skip


def _balance(holder: _Holder) -> tuple[str, bool, Balance]:
    """Return a balance with its code, and whether it is that of a page only."""
    try:
        amount = holder.all("Amt")
        currency = amount[0].element.get("Ccy") if amount else None
        direction = sign(holder.text("CdtDbtInd"))
        value = direction * minor(holder.text("Amt"), decimals_of(currency))
        shown = day(holder.need("Dt/Dt", "Dt/DtTm"))
    except Misfit as misfit:
        raise holder.refuse(misfit) from misfit
    is_interim = holder.text("Tp/SubTp/Cd") == "INTM"
    return holder.text("Tp/CdOrPrtry/Cd") or "", is_interim, Balance(value, currency or "", shown)


def _booked(balances: list[tuple[str, bool, Balance]], codes: tuple[str, ...]) -> Balance | None:
    """Return the first balance of one of `codes`: of the whole before that of a page."""
    for code in codes:
        for is_page in (False, True):
            for found, is_interim, balance in balances:
                if found == code and is_interim is is_page:
                    return balance
    return None


def _require_balances(holder: _Holder, opening: Balance | None, closing: Balance | None) -> None:
    for balance, code in ((opening, "OPBD"), (closing, "CLBD")):
        if balance is None:
            raise StatementInvalid(
                f"the booked balance {code} is missing", line=holder.line,
                path=f"{holder.path}/Bal", repair="a statement opens and closes with a balance:"
                " ask the bank for one, or import a notification (camt.054)",
            )  # fmt: skip


def _currency(holder: _Holder, balances: list[tuple[str, bool, Balance]]) -> str:
    """Return the account's currency: its own, or that of all balances or of the first entry."""
    named = {balance.currency for _code, _interim, balance in balances}
    own = holder.text("Acct/Ccy")
    if own:
        named.add(own)
    if not named:
        amounts = holder.all("Ntry/Amt")
        named = {amounts[0].element.get("Ccy", "")} if amounts else set()
    if len(named) != 1:
        told = ", ".join(sorted(named)) or "none"
        raise Misfit(f"the statement has no single currency: {told}", "one statement, one currency")
    return named.pop()


def _sequence(holder: _Holder) -> int | None:
    text = holder.text("ElctrncSeqNb", "LglSeqNb")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or int(text) > _SEQUENCE_MAX:
        raise Misfit(f"{text[:30]!r} is no sequence number", "a whole number")
    return int(text)


def _total(holder: _Holder, name: str, decimals: int) -> Total:
    count = holder.text(f"TxsSummry/{name}/NbOfNtries")
    total = holder.text(f"TxsSummry/{name}/Sum")
    if count is not None and not (count.isascii() and count.isdigit()):
        raise Misfit(f"{count[:30]!r} is no number of entries", "a whole number")
    return Total(
        None if count is None else int(count[:18]),
        None if total is None else minor(total, decimals),
    )
