"""What is wrong with a bank's file is said with line, path and repair, and nothing is stored."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from settlement import bank
from settlement.clock import new_id
from settlement.documents.iso20022.reading_model import (
    StatementContradicts,
    StatementInvalid,
    StatementRefused,
    StatementUnreadable,
)
from settlement.errors import Invalid
from settlement.store import open_engine, reading
from tests.bank.builders import (
    OTHER_IBAN,
    Movement,
    a_camt,
    another_account,
    imported,
    refused,
    stored,
    with_account,
)
from tests.builders.ledger import NOW

GOOD = a_camt(Movement("10.00"), Movement("-4.00", reference="BK-2"))


def test_a_balance_that_does_not_follow_is_refused_with_the_difference(
    engine: Engine, tmp_path: Path
) -> None:
    with_account(engine)

    error = refused(engine, tmp_path, a_camt(Movement("10.00"), closing="1010.01"))

    assert isinstance(error, StatementContradicts)
    assert "-0.01 EUR" in str(error)
    assert error.path == "/Document/BkToCstmrStmt/Stmt[1]/Bal"


@pytest.mark.parametrize("start", [b"{1:F01COBADEFFXXXX}{2:", b"\r\n:20:STARTUMS\r\n:25:"])
def test_a_swift_message_is_named_as_one_that_is_not_read(
    engine: Engine, tmp_path: Path, start: bytes
) -> None:
    with_account(engine)

    error = refused(engine, tmp_path, start + b"...\r\n:61:2611201120C4320,00NTRF\r\n-}")

    assert isinstance(error, StatementUnreadable)
    assert "MT940" in str(error) and "camt.053" in str(error.repair)


def test_a_wrong_sign_does_not_add_up(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)
    marker = b'<Amt Ccy="EUR">4.00</Amt><CdtDbtInd>DBIT'

    error = refused(engine, tmp_path, GOOD.replace(marker, marker.replace(b"DBIT", b"CRDT"), 1))

    assert isinstance(error, StatementContradicts)
    assert "8.00 EUR" in str(error)


@pytest.mark.parametrize(
    ("summary", "path"),
    [
        ("<TtlNtries><NbOfNtries>3</NbOfNtries></TtlNtries>", "TtlNtries/NbOfNtries"),
        ("<TtlNtries><Sum>14.01</Sum></TtlNtries>", "TtlNtries/Sum"),
        ("<TtlCdtNtries><NbOfNtries>2</NbOfNtries></TtlCdtNtries>", "TtlCdtNtries/NbOfNtries"),
        ("<TtlDbtNtries><Sum>10.00</Sum></TtlDbtNtries>", "TtlDbtNtries/Sum"),
    ],
)
def test_sums_and_counts_of_the_summary_are_checked(
    engine: Engine, tmp_path: Path, summary: str, path: str
) -> None:
    with_account(engine)
    both = (Movement("10.00"), Movement("-4.00", reference="BK-2"))

    error = refused(engine, tmp_path, a_camt(*both, summary=f"<TxsSummry>{summary}</TxsSummry>"))

    assert isinstance(error, StatementContradicts)
    assert error.path.endswith(f"TxsSummry/{path}")


def test_details_that_do_not_sum_up_name_their_entry(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)

    error = refused(engine, tmp_path, a_camt(Movement("30.00", details=("10.00", "20.01"))))

    assert isinstance(error, StatementContradicts)
    assert error.path == "/Document/BkToCstmrStmt/Stmt[1]/Ntry[1]/NtryDtls"
    assert "30.01" in str(error) and error.line


def test_a_file_that_is_cut_anywhere_is_refused(tmp_path: Path, sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    with_account(engine)

    for cut in range(50, len(GOOD) - 12, 97):
        error = refused(engine, tmp_path, GOOD[:cut])
        assert isinstance(error, StatementUnreadable)

    engine.dispose()


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE d [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">',
        "<!DOCTYPE Document>",
    ],
)
def test_a_doctype_is_refused_before_it_is_read(
    engine: Engine, tmp_path: Path, doctype: str
) -> None:
    with_account(engine)
    head, rest = GOOD.split(b"\n", 1)

    for content in (
        head + b"\n" + doctype.encode() + b"\n" + rest.replace(b"RE-1", b"&x;"),
        (head + b"\n" + doctype.encode() + b"\n" + rest).decode().replace("UTF-8", "UTF-16")
        .encode("utf-16"),
    ):  # fmt: skip
        error = refused(engine, tmp_path, content)
        assert isinstance(error, StatementUnreadable)
        assert "document type" in str(error)


def test_a_doctype_behind_a_long_prolog_is_refused_too(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)
    head, rest = GOOD.split(b"\n", 1)
    laughs = b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    padding = b"<!--" + b"x" * 70_000 + b"-->"

    error = refused(engine, tmp_path, head + padding + laughs + rest.replace(b"RE-1", b"&b;"))

    assert isinstance(error, StatementUnreadable)


def test_other_bytes_than_declared_are_refused(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)

    for content in (
        GOOD.replace(b"Al Noor", b"Al N\xfcr"),
        GOOD.replace(b"UTF-8", b"UTF-7"),
        GOOD.decode().encode("utf-16"),
    ):
        assert isinstance(refused(engine, tmp_path, content), StatementUnreadable)


def test_an_encoding_that_nobody_knows_is_refused(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)

    error = refused(engine, tmp_path, GOOD.replace(b'"UTF-8"', b'"UTF-88"'))

    assert isinstance(error, StatementUnreadable)
    assert "encoding" in str(error)


def test_the_same_text_in_another_declared_encoding_is_read(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)
    content = a_camt(Movement(remittance="Rückzahlung")).decode().replace("UTF-8", "ISO-8859-1")

    imported(engine, tmp_path, content.encode("iso-8859-1"))

    assert stored(engine)[0].remittance == "Rückzahlung"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("4.00</Amt>", "4.001</Amt>", "decimals"),
        ("4.00</Amt>", "4,00</Amt>", "4,00"),
        ("4.00</Amt>", "-4.00</Amt>", "-4.00"),
        ("4.00</Amt>", "1e2</Amt>", "1e2"),
        ("4.00</Amt>", "99999999999999999.99</Amt>", "99999999999999999"),
        ("<CdtDbtInd>DBIT", "<CdtDbtInd>DEBT", "DEBT"),
        ("<Dt>2026-11-20</Dt></BookgDt>", "<Dt>2026-11-31</Dt></BookgDt>", "2026-11-31"),
        ("<Cd>BOOK", "<Cd>BOKD", "BOKD"),
        ("<ElctrncSeqNb>1<", "<ElctrncSeqNb>one<", "one"),
        ("<Id>STMT-1</Id>", "", "Id"),
    ],
)
def test_a_wrong_value_names_its_line_and_path(
    engine: Engine, tmp_path: Path, old: str, new: str, said: str
) -> None:
    with_account(engine)
    for version in ("08", "04"):
        content = a_camt(
            Movement("4.00"), Movement("-4.00", reference="BK-2"), version=version
        ).decode()
        wanted = old.replace("<Cd>BOOK", "<Sts>BOOK") if version == "04" else old
        changed = content.replace(wanted, new.replace("<Cd>", "<Sts>") if version == "04" else new)
        assert changed != content

        error = refused(engine, tmp_path, changed.encode())

        assert said in str(error)
        assert error.line and error.path.startswith("/Document/BkToCstmrStmt/Stmt")


def test_another_account_or_currency_is_refused(engine: Engine, tmp_path: Path) -> None:
    account = with_account(engine)

    unknown = refused(engine, tmp_path, a_camt(Movement(), iban=OTHER_IBAN))
    assert isinstance(unknown, bank.UnknownBankAccount)
    other = refused(engine, tmp_path, a_camt(Movement(currency="USD"), currency="USD"))
    assert isinstance(other, StatementInvalid) and "USD" in str(other)
    mixed = refused(engine, tmp_path, a_camt(Movement(currency="USD")))
    assert mixed.path == "/Document/BkToCstmrStmt/Stmt[1]/Ntry[1]"
    assert imported(engine, tmp_path, GOOD, account_id=account).is_new


def test_a_statement_of_another_account_than_the_named_one_is_refused(
    engine: Engine, tmp_path: Path
) -> None:
    account = with_account(engine, iban=OTHER_IBAN)
    with reading(engine) as session:
        owner = bank.bank_account(session, account).owner_id
    another_account(engine, owner)

    with pytest.raises(bank.OtherBankAccount):
        imported(engine, tmp_path, GOOD, account_id=account)
    assert stored(engine) == []


def test_a_balance_that_is_missing_is_asked_for(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)

    error = refused(engine, tmp_path, GOOD.replace(b"CLBD", b"CLAV"))

    assert "CLBD is missing" in str(error)


@pytest.mark.parametrize(
    "content",
    [b"", b" ", b"{}", b"<a/>", b"<Document/>", b"%PDF-1.7", b"PK\x03\x04", b"<html></html>"],
)
def test_what_is_no_statement_is_refused(engine: Engine, tmp_path: Path, content: bytes) -> None:
    account = with_account(engine)

    with pytest.raises((StatementRefused, bank.NoBankMapping)):
        imported(engine, tmp_path, content, account_id=account)


@given(place=st.integers(0, len(GOOD) - 1), byte=st.integers(0, 255))
def test_any_changed_byte_is_refused_by_name_or_read(place: int, byte: int) -> None:
    """No other exception than a refusal ever leaves the reader."""
    import io

    from settlement.documents.iso20022 import reading as reader

    content = GOOD[:place] + bytes([byte]) + GOOD[place + 1 :]
    file = io.BytesIO(content)

    try:
        rows = list(reader.read(file, reader.message_of(file)))
    except StatementRefused as error:
        assert error.path and error.repair
    else:
        assert rows
        assert re.match(r"/Document/", rows[0].path)  # type: ignore[union-attr]


def test_a_name_that_cannot_be_kept_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    engine = open_engine(sqlite_url)
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/Ausz\xfcge.xml"))
    path.write_bytes(GOOD)

    with pytest.raises(Invalid, match=r"Ausz\\udcfcge.xml") as refusal:
        bank.import_file(engine, path, actor="test", ids=new_id, now=NOW)

    assert (refusal.value.field, refusal.value.repair) == ("file", "rename it")
    engine.dispose()
