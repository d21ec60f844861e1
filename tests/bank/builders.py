"""Builders for tests of accounts at banks: parties, accounts, and statements with defaults."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from settlement import bank
from settlement.clock import counted_ids, new_id
from settlement.documents.iso20022.reading_model import StatementRefused
from settlement.store import reading, transaction
from tests.builders.ledger import NOW, SELLER, seed_parties

IBAN = "DE89370400440532013000"
OTHER_IBAN = "GB82WEST12345698765432"
BIC = "COBADEFFXXX"


def an_account(**changes: Any) -> bank.NewBankAccount:
    fields: dict[str, Any] = {
        "owner_id": SELLER,
        "name": "Receivables",
        "iban": IBAN,
        "servicer_bic": BIC,
        "currency": "EUR",
        "role": "payout",
    }
    return bank.NewBankAccount(**{**fields, **changes})


def opened(session: Session, *accounts: bank.NewBankAccount, start: int = 1) -> list[str]:
    """Store the parties and register accounts; return their ids."""
    seed_parties(session)
    ids = counted_ids(start)
    return [bank.register(session, each, ids=ids, now=NOW) for each in accounts or (an_account(),)]


def with_account(engine: Engine, **changes: Any) -> str:
    """Return the id of an account in an otherwise empty database."""
    with transaction(engine) as session:
        return opened(session, an_account(**changes))[0]


def another_account(engine: Engine, owner: str, **changes: Any) -> str:
    """Register one more account for a participant that is there already."""
    with transaction(engine) as session:
        account = an_account(owner_id=owner, **changes)
        return bank.register(session, account, ids=counted_ids(50), now=NOW)


@dataclass(frozen=True)
class Movement:
    """An entry of a made statement. `details` are amounts of a batch, signed."""

    amount: str = "100.00"
    reference: str | None = "BK-1"
    end_to_end: str = "E2E-1"
    day: str = "2026-11-20"
    status: str = "BOOK"
    remittance: str = "Invoice RE-1 & Co"
    currency: str = "EUR"
    charges: str | None = None
    is_reversal: bool = False
    reason: str | None = None
    details: tuple[str, ...] = ()

    @property
    def minor(self) -> int:
        return cents(self.amount)


def cents(amount: str) -> int:
    return int(amount.replace(".", ""))


def shown(minor: int) -> str:
    return f"{abs(minor) // 100}.{abs(minor) % 100:02d}"


def a_camt(
    *movements: Movement,
    message: str = "camt.053",
    version: str = "08",
    iban: str = IBAN,
    currency: str = "EUR",
    statement_id: str = "STMT-1",
    sequence: int | None = 1,
    opening: str = "1000.00",
    closing: str | None = None,
    opened_on: str = "2026-11-19",
    closed_on: str = "2026-11-20",
    summary: str = "",
) -> bytes:
    """A statement or notification, valid by its schema; its closing balance fits by default."""
    is_statement = message == "camt.053"
    root, holder = (
        ("BkToCstmrStmt", "Stmt") if is_statement else ("BkToCstmrDbtCdtNtfctn", "Ntfctn")
    )
    booked = sum(each.minor for each in movements if each.status == "BOOK")
    end = cents(closing) if closing else cents(opening) + booked
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{shown(minor)}</Amt>{_side(minor)}<Dt><Dt>{day}</Dt></Dt></Bal>\n'
        for code, minor, day in (("OPBD", cents(opening), opened_on), ("CLBD", end, closed_on))
    )
    numbered = "" if sequence is None else f"<ElctrncSeqNb>{sequence}</ElctrncSeqNb>"
    entries = "\n".join(_entry(each, version) for each in movements)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{message}.001.{version}"><{root}>\n'
        "<GrpHdr><MsgId>M-1</MsgId><CreDtTm>2026-11-20T20:00:00Z</CreDtTm></GrpHdr>\n"
        f"<{holder}><Id>{statement_id}</Id>{numbered}<CreDtTm>2026-11-20T20:00:00Z</CreDtTm>\n"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct>\n"
        f"{balances if is_statement else ''}{summary}{entries}\n</{holder}></{root}></Document>\n"
    ).encode()


def _side(minor: int) -> str:
    return f"<CdtDbtInd>{'CRDT' if minor >= 0 else 'DBIT'}</CdtDbtInd>"


def _entry(movement: Movement, version: str) -> str:
    minor = movement.minor
    is_old = int(version) < 8
    status = movement.status if is_old else f"<Cd>{movement.status}</Cd>"
    reversal = "<RvslInd>true</RvslInd>" if movement.is_reversal else ""
    reference = f"<AcctSvcrRef>{movement.reference}</AcctSvcrRef>" if movement.reference else ""
    charges = (
        f'<Chrgs><Rcrd><Amt Ccy="{movement.currency}">{movement.charges}</Amt></Rcrd></Chrgs>'
        if movement.charges
        else ""
    )
    parts = movement.details or (movement.amount,)
    details = "".join(
        _detail(movement, part, number if movement.details else 0, is_old)
        for number, part in enumerate(parts, start=1)
    )
    return (
        f'<Ntry><Amt Ccy="{movement.currency}">{shown(minor)}</Amt>{_side(minor)}{reversal}'
        f"<Sts>{status}</Sts><BookgDt><Dt>{movement.day}</Dt></BookgDt>"
        f"<ValDt><Dt>{movement.day}</Dt></ValDt>{reference}"
        "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn>"
        f"</BkTxCd>{charges}<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def _detail(movement: Movement, amount: str, number: int, is_old: bool) -> str:
    minor = cents(amount)
    suffix = f"-{number}" if number else ""
    side = "Dbtr" if minor >= 0 else "Cdtr"
    name = "<Nm>Al Noor Trading LLC</Nm>"
    party = name if is_old else f"<Pty>{name}</Pty>"
    reason = f"<RtrInf><Rsn><Cd>{movement.reason}</Cd></Rsn></RtrInf>" if movement.reason else ""
    stated = f'<Amt Ccy="{movement.currency}">{shown(minor)}</Amt>{_side(minor)}'
    return (
        f"<TxDtls><Refs><EndToEndId>{movement.end_to_end}{suffix}</EndToEndId></Refs>"
        f"{'' if is_old else stated}"
        f"<RltdPties><{side}>{party}</{side}><{side}Acct><Id><IBAN>{OTHER_IBAN}</IBAN></Id>"
        f"</{side}Acct></RltdPties><RmtInf><Ustrd>{escape(movement.remittance)}</Ustrd></RmtInf>"
        f"{reason}</TxDtls>"
    )


def imported(engine: Engine, tmp_path: Path, content: bytes, **options: Any) -> bank.Imported:
    """Import bytes as a file of this machine."""
    path = tmp_path / "statement.xml"
    path.write_bytes(content)
    return bank.import_file(engine, path, actor="test", ids=new_id, now=NOW, **options)


def stored(engine: Engine, **where: Any) -> list[Any]:
    """Every stored entry, in order."""
    with reading(engine) as session:
        return bank.entries(session, limit=1000, **where)


def refused(engine: Engine, tmp_path: Path, content: bytes) -> StatementRefused:
    """Return the refusal of a file, of which nothing may have been stored."""
    with pytest.raises(StatementRefused) as refusal:
        imported(engine, tmp_path, content)
    with reading(engine) as session:
        for table in ("bank_entry", "statement", "statement_file"):
            assert session.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar() == 0
    assert refusal.value.repair and refusal.value.field
    return refusal.value
