"""A large camt.053 as a bank would write it: credits and debits, batches, references, remittance.

Written as plain text, line by line, in bounded memory; the same for the same number.
"""

import random
from pathlib import Path

IBAN = "DE89370400440532013000"
BATCH_EVERY = 50
_PAYERS = (
    ("Kaveri Textiles Private Limited", "GB82WEST12345698765432"),
    ("Al Noor Trading LLC", "AE070331234567890123456"),
    ("Hartwig Maschinenbau &amp; Söhne GmbH", "DE75512108001245126199"),
    ("Åkerlund Papper AB", "SE4550000000058398257466"),
    ("Zhejiang Hualian Sanxin Petrochemical", "FR1420041010050500013M02606"),
)


def write(path: Path, entries: int) -> int:
    """Write a statement of so many entries; return how many rows its details make."""
    numbers = random.Random(53)
    amounts = [
        numbers.randrange(1_00, 99_999_99) * (-1 if numbers.random() < 0.3 else 1)
        for _ in range(min(entries, 9_973))
    ]
    total = sum(amounts[place % len(amounts)] for place in range(entries))
    rows = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(_head(entries, 5_000_000_00, 5_000_000_00 + total))
        for place in range(entries):
            minor = amounts[place % len(amounts)]
            details = 5 if place % BATCH_EVERY == 0 and abs(minor) > 100_00 else 1
            file.write(_entry(place, minor, details))
            rows += details
        file.write("</Stmt>\n</BkToCstmrStmt>\n</Document>\n")
    return rows


def _head(entries: int, opening: int, closing: int) -> str:
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(minor)}"
        f"<Dt><Dt>2026-11-{day}</Dt></Dt></Bal>\n"
        for code, minor, day in (("OPBD", opening, 19), ("CLBD", closing, 20))
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">\n<BkToCstmrStmt>\n'
        "<GrpHdr><MsgId>BENCH</MsgId><CreDtTm>2026-11-20T20:00:00Z</CreDtTm></GrpHdr>\n"
        "<Stmt><Id>BENCH-1</Id><ElctrncSeqNb>1</ElctrncSeqNb>"
        "<CreDtTm>2026-11-20T20:00:00Z</CreDtTm>\n"
        f"<Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>\n{balances}"
        f"<TxsSummry><TtlNtries><NbOfNtries>{entries}</NbOfNtries></TtlNtries></TxsSummry>\n"
    )


def _amount(minor: int) -> str:
    side = "CRDT" if minor >= 0 else "DBIT"
    whole, cents = divmod(abs(minor), 100)
    return f'<Amt Ccy="EUR">{whole}.{cents:02d}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _entry(place: int, minor: int, details: int) -> str:
    family = "RCDT" if minor >= 0 else "ICDT"
    share = minor // details
    parts = [share] * (details - 1) + [minor - share * (details - 1)]
    told = "\n".join(_detail(place * 10 + number, part) for number, part in enumerate(parts))
    return (
        f"<Ntry>\n  <NtryRef>{place + 1}</NtryRef>\n  {_amount(minor)}\n"
        "  <Sts><Cd>BOOK</Cd></Sts>\n  <BookgDt><Dt>2026-11-20</Dt></BookgDt>\n"
        f"  <ValDt><Dt>2026-11-20</Dt></ValDt>\n  <AcctSvcrRef>BK{place:012d}</AcctSvcrRef>\n"
        f"  <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly>"
        f"</Domn></BkTxCd>\n  <NtryDtls>\n{told}\n  </NtryDtls>\n</Ntry>\n"
    )


def _detail(number: int, minor: int) -> str:
    name, iban = _PAYERS[number % len(_PAYERS)]
    side = "Dbtr" if minor >= 0 else "Cdtr"
    return (
        f"    <TxDtls>\n      <Refs><InstrId>I-{number}</InstrId>"
        f"<EndToEndId>stl-{number:016x}</EndToEndId>"
        f"<UETR>{number:08x}-ca16-48ba-b074-65581be6f001</UETR></Refs>\n      {_amount(minor)}\n"
        f"      <RltdPties><{side}><Pty><Nm>{name}</Nm></Pty></{side}>"
        f"<{side}Acct><Id><IBAN>{iban}</IBAN></Id></{side}Acct></RltdPties>\n"
        f"      <RmtInf><Ustrd>Invoice RE-2026-{number} of 2026-10-01, thank you</Ustrd></RmtInf>\n"
        "    </TxDtls>"
    )
