"""The demo's bank: writes the statements that a bank would send. Knows no rule of ours.

Source: ISO 20022, camt.053.001.08.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape

_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


@dataclass(frozen=True, slots=True)
class BankMovement:
    """What the bank books: + the account received. Amounts are cents."""

    reference: str
    """The bank's own."""
    minor: int
    other: str
    """Who paid, or was paid."""
    end_to_end_id: str | None = None
    remittance: str | None = None
    charges_minor: int = 0
    """What the bank has kept of it."""


@dataclass(frozen=True, slots=True)
class BankStatement:
    """One account's day."""

    number: str
    iban: str
    currency: str
    owner: str
    day: date
    opening_minor: int
    movements: Sequence[BankMovement]

    @property
    def closing_minor(self) -> int:
        """What is on the account when the day has ended."""
        return self.opening_minor + sum(each.minor for each in self.movements)


def camt053(statement: BankStatement) -> bytes:
    """Return the file as a bank sends it."""
    at, day = f"{statement.day.isoformat()}T23:00:00Z", statement.day.isoformat()
    entries = "".join(_entry(each, statement.currency, day) for each in statement.movements)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="{_NAMESPACE}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>{statement.number}</MsgId><CreDtTm>{at}</CreDtTm></GrpHdr>\n"
        f"<Stmt><Id>{statement.number}</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>{at}</CreDtTm>"
        f"<Acct><Id><IBAN>{statement.iban}</IBAN></Id><Ccy>{statement.currency}</Ccy>"
        f"<Ownr><Nm>{escape(statement.owner)}</Nm></Ownr></Acct>\n"
        f"{_balance('OPBD', statement.opening_minor, statement.currency, day)}"
        f"{_balance('CLBD', statement.closing_minor, statement.currency, day)}"
        f"{entries}</Stmt></BkToCstmrStmt></Document>\n"
    ).encode()


def _balance(kind: str, minor: int, currency: str, day: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{_amount(minor, currency)}"
        f"{_side(minor)}<Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def _entry(each: BankMovement, currency: str, day: str) -> str:
    amount, side = _amount(each.minor, currency), _side(each.minor)
    party = "Dbtr" if each.minor >= 0 else "Cdtr"
    charges, words = "", ""
    if each.charges_minor:
        charges = (
            f"<Chrgs><Rcrd>{_amount(each.charges_minor, currency)}<CdtDbtInd>DBIT</CdtDbtInd>"
            "<ChrgInclInd>true</ChrgInclInd></Rcrd></Chrgs>"
        )
    if each.remittance:
        words = f"<RmtInf><Ustrd>{escape(each.remittance)}</Ustrd></RmtInf>"
    return (
        f"<Ntry><NtryRef>{each.reference}</NtryRef>{amount}{side}<Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
        f"<AcctSvcrRef>{each.reference}</AcctSvcrRef>"
        "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>XBCT</SubFmlyCd></Fmly></Domn>"
        f"</BkTxCd><NtryDtls><TxDtls><Refs><AcctSvcrRef>{each.reference}</AcctSvcrRef>"
        f"<EndToEndId>{each.end_to_end_id or 'NOTPROVIDED'}</EndToEndId></Refs>{amount}{side}"
        f"{charges}<RltdPties><{party}><Pty><Nm>{escape(each.other)}</Nm></Pty></{party}>"
        f"</RltdPties>{words}</TxDtls></NtryDtls></Ntry>\n"
    )


def _amount(minor: int, currency: str) -> str:
    digits = f"{abs(minor):03d}"
    return f'<Amt Ccy="{currency}">{digits[:-2]}.{digits[-2:]}</Amt>'


def _side(minor: int) -> str:
    return f"<CdtDbtInd>{'CRDT' if minor >= 0 else 'DBIT'}</CdtDbtInd>"
