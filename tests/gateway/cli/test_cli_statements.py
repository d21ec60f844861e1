"""`settle statement`, `settle advice` and `settle export`: whole files, new ones only."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import openpyxl
import pytest
from lxml import etree

from gateway.cli.client import Api, GatewayUnreachable
from gateway.cli.export import What
from settlement.documents.iso20022.schema import faults
from tests.gateway.builders import a_json_invoice
from tests.gateway.cli.conftest import Desk


def test_statements_advice_and_lists_are_whole_new_files(desk: Desk, tmp_path: Path) -> None:
    settlement, account = _a_payment(desk, tmp_path)
    day, paper, sheet = tmp_path / "day.xml", tmp_path / "advice.pdf", tmp_path / "accounts.xlsx"

    said = desk.settle("statement", account, "--output", str(day), "--json", who="exporter")
    again = desk.settle("statement", account, "--output", str(day))
    table = desk.settle("statement", account, "--format", "csv", "--by", "value")
    status = desk.settle("advice", settlement, "--format", "pacs002")
    printed = desk.settle("advice", settlement, "--output", str(paper), who="exporter")
    listed = desk.settle("export", "accounts", "--format", "xlsx", "--output", str(sheet))

    assert said.code == 0, said
    assert json.loads(said.out)["bytes"] == day.stat().st_size
    assert faults(day.read_bytes(), "camt.053.001.08") == []
    assert again.code == 1 and "is there already" in again.err
    kinds = [row["kind"] for row in csv.DictReader(io.StringIO(table.out))]
    assert (kinds[0], kinds[-1]) == ("opening balance", "closing balance") and "payment" in kinds
    assert etree.fromstring(status.out.encode()).findtext(".//{*}TxSts") == "ACSC"
    assert printed.code == 0 and paper.read_bytes().startswith(b"%PDF")
    rows = list(openpyxl.load_workbook(sheet).worksheets[0].rows)
    names = [cell.value for cell in rows[0]]
    assert f"{len(rows) - 1} lines" in listed.err and len(rows) > 5
    assert {row[names.index("posted")].data_type for row in rows[1:]} <= {"n", "s"}
    assert [file.name for file in tmp_path.rglob("*.part")] == []
    for what in What:
        if what is not What.CHECK:
            again = desk.settle("export", what.value)
            assert again.code == 0 and "lines" in again.err, (what, again.err)


def test_what_is_refused_leaves_no_file(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "day.xml"

    refused = [
        desk.settle("statement", "wallet:nobody:TEUR", "-o", str(path)),
        desk.settle("advice", "stl_unknown", "-o", str(path)),
        desk.settle("statement", "wallet:nobody:TEUR", "--json"),
    ]

    assert [said.code for said in refused] == [1, 1, 1]
    assert all(said.err for said in refused)
    assert not path.exists() and list(tmp_path.rglob("*.part")) == []


def test_a_file_that_breaks_off_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cut:
        status, length, headers = 200, 10, {"Content-Type": "application/xml"}
        pieces = [b"", b"half"]

        def read(self, _most: int | None) -> bytes:
            return self.pieces.pop()

    class Connection:
        def __init__(self, *_address: object, **_options: object) -> None: ...
        def request(self, *_words: object) -> None: ...
        def getresponse(self) -> Cut:
            return Cut()

        def close(self) -> None: ...

    monkeypatch.setattr("http.client.HTTPConnection", Connection)

    with pytest.raises(GatewayUnreachable, match="4 of 10 bytes"):
        Api("http://127.0.0.1:1", "key").download("/v1/x", io.BytesIO())


def _a_payment(desk: Desk, folder: Path) -> tuple[str, str]:
    """Pay an invoice; return the settlement and the account that received."""
    document = folder / "RE-7.json"
    document.write_text(json.dumps(a_json_invoice("RE-7", currency="USD")))
    invoice = desk.json("invoice", "submit", str(document), who="exporter")
    desk.json("invoice", "accept", invoice["id"], who="importer")
    (settlement,) = desk.json("settlement", "instruct", invoice["id"], who="importer")
    desk.rail.settle_all(desk.worker)
    said = desk.settle("export", "accounts", who="exporter")
    rows = csv.DictReader(io.StringIO(said.out))
    codes = [row["code"] for row in rows if (row["kind"], row["unit"]) == ("wallet", "TUSD")]
    return settlement["id"], codes[0]
