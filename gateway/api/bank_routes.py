"""The routes of bank accounts, statements and entries, with an example of each."""

from __future__ import annotations

from typing import Any

from gateway.api import bank, bank_shapes
from gateway.api.operation import BodyShape, CommandRoute, QueryRoute, body_of
from settlement.documents.bank_csv import CsvMapping

_ACCOUNT_ID = "bka_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f"
_STATEMENT_ID = "bst_019a8f2e5a0b7c1d8e2f3a4b5c6d7e90"
_FILE_ID = "bsf_019a8f2e5a0b7c1d8e2f3a4b5c6d7e91"
_NEW = {
    "owner_id": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "name": "Receivables",
    "iban": "DE89370400440532013000",
    "servicer_bic": "COBADEFFXXX",
    "currency": "EUR",
    "role": "payout",
    "payout_days": 2,
}
_ACCOUNT = {
    "id": _ACCOUNT_ID, "object": "bank_account", **_NEW, "reserve_of": None,
    "created_at": "2026-11-20T09:30:00.000000Z",
}  # fmt: skip
_MAPPING: dict[str, Any] = {
    "columns": {"booking_date": "Buchungstag", "amount": "Betrag", "balance": "Saldo",
                "remittance": ["Verwendungszweck"]},
    "date_format": "DD.MM.YYYY",
    "decimal_sign": ",",
    "grouping_sign": ".",
    "encoding": "iso-8859-1",
}  # fmt: skip
_SAVED = {
    "object": "bank_mapping",
    "account_id": _ACCOUNT_ID,
    "sha256": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
    "set_by": "treasury stk_0123456789ab",
    "set_at": "2026-11-20T09:30:00.000000Z",
    "mapping": CsvMapping.model_validate(_MAPPING).model_dump(),
}
_IMPORT = {
    "object": "statement_import", "file_id": _FILE_ID, "is_new": True,
    "statement_ids": [_STATEMENT_ID], "entries": 2, "duplicates": 0,
}  # fmt: skip
_STATEMENT = {
    "id": _STATEMENT_ID, "object": "bank_statement", "account_id": _ACCOUNT_ID,
    "file_id": _FILE_ID, "file_name": "2026-11-20.xml", "format": "camt.053.001.08",
    "kind": "statement", "statement_id": "STMT-231", "sequence": 231, "from_date": "2026-11-20",
    "to_date": "2026-11-20", "currency": "EUR", "opening": "1000.00", "closing": "5320.00",
    "opening_date": "2026-11-19", "closing_date": "2026-11-20", "entries": 1,
    "created_at": "2026-11-20T21:00:00.000000Z",
}  # fmt: skip
_ENTRY = {
    "id": "bke_1", "object": "bank_entry", "account_id": _ACCOUNT_ID,
    "statement_id": _STATEMENT_ID, "file_id": _FILE_ID, "source_line": 12, "entry_index": 1,
    "detail_index": 0, "amount": "4320.00", "currency": "EUR", "status": "BOOK",
    "booking_date": "2026-11-20", "value_date": "2026-11-20", "end_to_end_id": "RE-2026-0042",
    "instruction_id": None, "uetr": None, "bank_reference": "BK000000000042",
    "creditor_reference": "RF18539007547034", "remittance": "Invoice RE-2026-0042",
    "counterparty_name": "Al Noor Trading LLC", "counterparty_account": "GB82WEST12345698765432",
    "transaction_code": "PMNT/RCDT/ESCT", "charges": "0.00", "is_reversal": False,
    "return_reason": None, "duplicate_of": None, "posted_seq": 17,
}  # fmt: skip
_GAP = {
    "object": "statement_gap", "account_id": _ACCOUNT_ID, "after": _STATEMENT_ID,
    "before": "bst_019a8f2e5a0b7c1d8e2f3a4b5c6d7e92", "missing_sequences": [232, 232],
    "reason": "statement STMT-233 opens 3.00 EUR off the closing balance of STMT-231,"
    " statements 232 to 232 are missing",
}  # fmt: skip
_FILE = BodyShape(
    schema={"type": "string", "description": "The file as the bank made it: camt.053 or camt.054."},
    examples={
        "statement": '<?xml version="1.0"?><Document'
        ' xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">…</Document>'
    },
    other_media_types=("application/xml", "text/csv", "application/octet-stream"),
)


def _listed(item: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "has_more": False, "data": [item]}


COMMANDS = (
    CommandRoute(
        "/v1/bank/accounts", bank.plan_account, "Register an account at a bank",
        body_of(bank.NewAccountBody, {"payout": _NEW}), bank_shapes.BankAccountAnswer, _ACCOUNT,
        status=201, tag="bank",
    ),
    CommandRoute(
        "/v1/bank/accounts/{account_id}/mapping", bank.plan_mapping,
        "Save how an account's CSV files are read",
        body_of(CsvMapping, {"german": _MAPPING}), bank_shapes.BankMappingAnswer, _SAVED,
        tag="bank",
    ),
    CommandRoute(
        "/v1/bank/accounts/{account_id}/statements", bank.plan_import,
        "Import a statement, notification or CSV of one account",
        _FILE, bank_shapes.StatementImport, _IMPORT, status=201, tag="bank",
    ),
    CommandRoute(
        "/v1/bank/statements", bank.plan_import,
        "Import a statement or notification that names its account",
        _FILE, bank_shapes.StatementImport, _IMPORT, status=201, tag="bank",
    ),
)  # fmt: skip
QUERIES = (
    QueryRoute("/v1/bank/accounts", bank.list_accounts, "List accounts at banks",
               bank_shapes.BankAccountList, _listed(_ACCOUNT), tag="bank"),
    QueryRoute("/v1/bank/accounts/{account_id}/mapping", bank.get_mapping,
               "See how an account's CSV files are read",
               bank_shapes.BankMappingAnswer, _SAVED, tag="bank"),
    QueryRoute("/v1/bank/statements", bank.list_statements, "List statements of banks",
               bank_shapes.BankStatementList, _listed(_STATEMENT), tag="bank"),
    QueryRoute("/v1/bank/entries", bank.list_entries, "List entries of banks",
               bank_shapes.BankEntryList, _listed(_ENTRY), tag="bank"),
    QueryRoute("/v1/bank/gaps", bank.list_gaps, "List where statements are missing",
               bank_shapes.StatementGapList, _listed(_GAP), tag="bank"),
)  # fmt: skip
