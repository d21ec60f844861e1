"""What a bank's schema refuses is named with line and path, in files of any size."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from settlement.documents.iso20022.reading_model import StatementUnreadable
from settlement.store import open_engine
from tests.bank.builders import Movement, a_camt, imported, refused, with_account

GOOD = a_camt(Movement("10.00"), Movement("-4.00", reference="BK-2"))


def test_a_schema_fault_names_the_very_entry(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)
    content = a_camt(Movement(), Movement(reference="B" * 36))

    error = refused(engine, tmp_path, content)

    assert error.path == "/Document/BkToCstmrStmt/Stmt[1]/Ntry[2]/AcctSvcrRef"
    assert b"B" * 36 in content.split(b"\n")[(error.line or 0) - 1]


def test_a_large_file_is_judged_by_its_schema_too(tmp_path: Path, sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    with_account(engine)
    many = [Movement(reference=f"BK-{number}") for number in range(6_600)]
    content = a_camt(*many, Movement(reference="B" * 36))
    assert len(content) > 4_000_000

    error = refused(engine, tmp_path, content)
    assert error.path == "/Document/BkToCstmrStmt/Stmt[1]/Ntry[6601]/AcctSvcrRef"

    assert imported(engine, tmp_path, a_camt(*many)).entries == 6_600
    engine.dispose()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("<AcctSvcrRef>BK-2</AcctSvcrRef><Foo/>", "Foo"),
        ("</Ntry><Foo/><Ntry>", "between"),
        ("<AcctSvcrRef>BK-2</AcctSvcrRef><AcctSvcrRef>B</AcctSvcrRef>", "AcctSvcrRef"),
    ],
)
def test_a_file_too_large_to_judge_every_entry_is_judged_shape_by_shape(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, entry: str, said: str
) -> None:
    monkeypatch.setattr("settlement.documents.iso20022.reading.BY_SHAPE_BYTES", 1)
    engine = open_engine(sqlite_url)
    with_account(engine)
    plain = GOOD.decode()
    marker = "<AcctSvcrRef>BK-2</AcctSvcrRef>"
    if "</Ntry>" in entry:
        changed = plain.replace("</Ntry>\n<Ntry>", entry)
    else:
        changed = plain.replace(marker, entry)
    assert changed != plain

    error = refused(engine, tmp_path, changed.encode())

    assert isinstance(error, StatementUnreadable) and said in str(error)
    assert error.path.startswith("/Document/BkToCstmrStmt/Stmt[1]/Ntry[2]")
    assert imported(engine, tmp_path, GOOD).entries == 2
    engine.dispose()
