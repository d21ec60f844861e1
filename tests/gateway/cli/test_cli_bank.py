"""`settle bank` as a person types it: accounts, mappings, files, lists, and what is refused."""

import json
from pathlib import Path

import pytest

from tests.bank.builders import IBAN, Movement, a_camt
from tests.gateway.cli.conftest import Desk

MAPPING = {
    "columns": {"booking_date": "Date", "amount": "Amount", "remittance": ["Text"]},
    "delimiter": ",",
}


def test_an_account_its_files_and_lists(
    desk: Desk, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = desk.json(
        "bank", "account", "add", desk.rail.companies.seller, "--iban", IBAN,
        "--bic", "COBADEFFXXX", "--currency", "EUR", "--name", "Receivables",
    )["id"]  # fmt: skip
    statement, wrong, table, mapping = (
        tmp_path / name for name in ("day.xml", "wrong.xml", "day.csv", "mapping.json")
    )
    statement.write_bytes(a_camt(Movement("250.01")))
    wrong.write_bytes(a_camt(Movement("250.01"), closing="7.00"))
    table.write_text("Date,Amount,Text\n2026-11-21,12.50,Invoice RE-2\n", encoding="utf-8")
    mapping.write_text(json.dumps(MAPPING), encoding="utf-8")

    first = desk.json("bank", "import", str(statement))
    again = desk.json("bank", "import", str(statement), "--account", account)
    refused = desk.settle("bank", "import", str(wrong))
    nobodys = desk.settle("bank", "import", str(table))
    by_mapping = desk.json(
        "bank", "import", str(table), "--account", account, "--mapping", str(mapping)
    )
    monkeypatch.setenv("SETTLE_DATABASE_URL", sqlite_url)
    here = desk.type("bank", "import", str(statement), "--here", "--json")

    assert (first["is_new"], again["is_new"], by_mapping["entries"]) == (True, False, 1)
    assert nobodys.code == 1 and "name its account (--account)" in nobodys.err
    assert refused.code == 1
    assert "opening 1000.00 and movements 250.01" in refused.err and "ask the bank" in refused.err
    assert here.json["file_id"] == first["file_id"] and here.json["is_new"] is False
    assert [row["id"] for row in desk.json("bank", "account", "list")] == [account]
    assert len(desk.json("bank", "statements", "--account", account)) == 2
    amounts = [row["amount"] for row in desk.json("bank", "entries", "--account", account)]
    assert amounts == ["250.01", "12.50"]
    assert desk.json("bank", "mapping", "show", account)["mapping"]["delimiter"] == ","
    assert desk.json("bank", "gaps") == []
    told = desk.settle("bank", "entries").out
    assert "250.01" in told and "2026-11-20" in told


def test_what_cannot_be_sent_says_what_to_do(desk: Desk, tmp_path: Path) -> None:
    large = tmp_path / "large.xml"
    with large.open("wb") as file:
        file.truncate(11 * 1024 * 1024)

    too_large = desk.settle("bank", "import", str(large))
    missing = desk.settle("bank", "import", str(tmp_path / "none.xml"))
    forbidden = desk.settle("bank", "gaps", who="importer")

    assert (too_large.code, missing.code, forbidden.code) == (1, 1, 1)
    assert "--here" in too_large.err
    assert "check the path" in missing.err
