"""Every ISO 20022 message that we write obeys its schema and says exactly what it was given."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from lxml import etree
from xsdata.formats.dataclass.parsers import XmlParser

from settlement.documents.iso20022.errors import MessageInvalid
from settlement.documents.iso20022.filling import filled, written
from settlement.documents.iso20022.pacs008 import pacs008
from settlement.documents.iso20022.pain001 import pain001
from settlement.documents.iso20022.remt001 import remt001
from settlement.documents.iso20022.schema import faults, require_valid
from settlement.documents.iso20022.status import LABELS, pacs002, pain002
from settlement.documents.iso20022.values import CashAccount, address_id, amount
from tests.documents.iso20022_builders import (
    IBAN,
    INVOICE,
    NOW,
    PLACE,
    SELLER,
    a_notification,
    a_payment,
    a_status,
    an_entry,
    an_order,
    every_message,
)

MESSAGES = every_message()


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_obeys_its_published_schema(name: str) -> None:
    assert faults(MESSAGES[name], name) == []


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_is_read_back_by_the_typed_classes(name: str) -> None:
    family = name.partition(".")[0]
    module = import_module(f"pyiso20022.{family}.{name.replace('.', '_')}")
    root = module.AppHdr if family == "head" else module.Document

    found = XmlParser().from_bytes(MESSAGES[name], root)

    assert type(found) is root
    assert SELLER.name in _texts(found)


@pytest.mark.parametrize("label", sorted(LABELS))
def test_every_status_is_a_valid_message_of_both_kinds(label: str) -> None:
    status = a_status(label)

    customer = etree.fromstring(pain002(status, created_at=NOW))
    interbank = etree.fromstring(pacs002(status, original_id="P8-1", created_at=NOW))

    assert customer.findtext(".//{*}TxSts") == interbank.findtext(".//{*}TxSts") == label
    words = "".join(node.text for node in interbank.iterfind(".//{*}AddtlInf"))
    assert words.replace(" ", "") == ("" if label == "ACSC" else "because" * 40)


@pytest.mark.parametrize(("label", "settled_on"), [("ACSC", None), ("ACSP", date(2026, 11, 20))])
def test_only_what_is_final_is_called_settled(label: str, settled_on: date | None) -> None:
    status = a_status(label, settled_on=settled_on)

    with pytest.raises(AssertionError, match="settled means final"):
        pain002(status, created_at=NOW)


def test_a_payment_says_who_how_much_for_what_and_where() -> None:
    root = etree.fromstring(pacs008(a_payment(), created_at=NOW))

    assert _amount(root, "IntrBkSttlmAmt") == (Decimal("4000.00"), "EUR")
    assert _amount(root, "DuePyblAmt") == (Decimal("4320.00"), "EUR")
    assert _amount(root, "RmtdAmt") == (Decimal("4000.00"), "EUR")
    assert root.findtext(".//{*}Dbtr//{*}LEI") == "213800A1B2C3D4E5F607"
    assert root.findtext(".//{*}Cdtr/{*}PstlAdr/{*}TwnNm") == "Hamburg"
    assert root.findtext(".//{*}Cdtr/{*}PstlAdr/{*}Ctry") == "DE"
    assert root.findtext(".//{*}RfrdDocInf/{*}Nb") == INVOICE.number
    assert INVOICE.document_sha256 in str(root.findtext(".//{*}AddtlRmtInf"))


def test_a_notification_names_the_chains_transaction_and_block_whole() -> None:
    root = etree.fromstring(a_notification(an_entry()))

    references = {
        node.findtext("{*}Tp"): node.findtext("{*}Ref")
        for node in root.iterfind(".//{*}Prtry")
        if node.find("{*}Ref") is not None
    }
    assert "0x" + str(references["TX-1"]) + str(references["TX-2"]) == PLACE.tx_hash
    assert "0x" + str(references["BLOCK-1"]) + str(references["BLOCK-2"]) == PLACE.block_hash
    assert references["BLOCK"] == str(PLACE.block_number)
    assert PLACE.tx_hash in str(root.findtext(".//{*}AddtlTxInf"))


@pytest.mark.parametrize(
    ("minor", "is_reversal", "side", "role", "family"),
    [
        (5, False, "CRDT", "Dbtr", "RCDT"),
        (-5, False, "DBIT", "Cdtr", "ICDT"),
        # What takes a payment back keeps the roles of the payment, on the other side.
        (-5, True, "DBIT", "Dbtr", "RCDT"),
        (5, True, "CRDT", "Cdtr", "ICDT"),
    ],
)
def test_the_other_side_is_what_it_was_in_the_payment(
    minor: int, is_reversal: bool, side: str, role: str, family: str
) -> None:
    entry = etree.fromstring(a_notification(an_entry(minor, is_reversal=is_reversal))).find(
        ".//{*}Ntry"
    )

    assert entry is not None
    assert entry.findtext("{*}CdtDbtInd") == side
    assert entry.findtext("{*}RvslInd") == ("true" if is_reversal else None)
    assert entry.findtext(f".//{{*}}RltdPties/{{*}}{role}//{{*}}Nm") == "شركة النور للتجارة"
    assert entry.findtext(".//{*}Fmly/{*}Cd") == family


def test_a_long_invoice_number_is_never_cut() -> None:
    number = "RE-" + "9" * 60
    long = a_payment(invoice=replace(INVOICE, number=number))

    for content in (pacs008(long, created_at=NOW), remt001(long, created_at=NOW)):
        root = etree.fromstring(content)
        assert root.find(".//{*}RfrdDocInf/{*}Nb") is None
        assert f"invoice {number}" in [node.text for node in root.iterfind(".//{*}AddtlRmtInf")]


def test_a_long_name_is_cut_where_the_element_ends() -> None:
    long = replace(SELLER, name="é" * 200)

    root = etree.fromstring(pacs008(a_payment(creditor=long), created_at=NOW))

    assert root.findtext(".//{*}Cdtr/{*}Nm") == "é" * 140


@pytest.mark.parametrize("name", ["bell\x07", "new\nline", "nul\x00", "tab\t", "rtl\u202e", "  "])
def test_a_control_character_or_nothing_is_refused_as_a_name(name: str) -> None:
    with pytest.raises(MessageInvalid):
        pacs008(a_payment(creditor=replace(SELLER, name=name)), created_at=NOW)


def test_an_end_to_end_id_that_does_not_fit_is_refused_not_cut() -> None:
    with pytest.raises(MessageInvalid, match="35 characters"):
        pacs008(a_payment(end_to_end_id="E" * 36), created_at=NOW)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(1, "EUR", "0.01"), (120_050, "EUR", "1200.50"), (7, "JPY", "7"), (1, "BHD", "0.001")],
)
def test_an_amount_has_the_digits_of_its_currency(minor: int, currency: str, text: str) -> None:
    assert amount(minor, currency) == {"": text, "@Ccy": currency}


@pytest.mark.parametrize(("minor", "currency"), [(-1, "EUR"), (10**18, "JPY"), (1, "WEI")])
def test_an_amount_that_a_message_cannot_say_is_refused(minor: int, currency: str) -> None:
    with pytest.raises(MessageInvalid):
        amount(minor, currency)


def test_an_address_stands_in_an_account_whole() -> None:
    address = "0x5fbdb2315678afecb367f032d93f642f64180aa3"

    assert len(address_id(address)) <= 34
    assert address_id(address) != address_id(address[:-1] + "4")


def test_an_order_sums_up_its_payments() -> None:
    root = etree.fromstring(pain001(an_order(), created_at=NOW))

    found = [Decimal(node.text) for node in root.iterfind(".//{*}InstdAmt")]
    sums = {Decimal(node.text) for node in root.iterfind(".//{*}CtrlSum")}
    assert sums == {sum(found)} == {Decimal("2001.01")}
    assert {node.text for node in root.iterfind(".//{*}NbOfTxs")} == {"2"}


def test_an_order_with_nothing_twice_the_same_or_no_amount_is_refused() -> None:
    order = an_order()
    first = order.payments[0]
    bad: list[Any] = [
        [],
        [first, first],
        [replace(first, amount_minor=0)],
        [replace(first, creditor_account=CashAccount(iban=IBAN[:-1] + "1"))],
    ]

    for payments in bad:
        with pytest.raises(MessageInvalid) as refused:
            pain001(replace(order, payments=payments), created_at=NOW)
        assert refused.value.field and refused.value.repair


def test_what_does_not_fit_the_schema_is_not_handed_out() -> None:
    broken = MESSAGES["pacs.008.001.08"].replace(b"<ChrgBr>SHAR", b"<ChrgBr>NONE")

    with pytest.raises(MessageInvalid, match="ChrgBr"):
        require_valid(broken, "pacs.008.001.08")


def test_an_element_that_the_message_does_not_have_is_noticed() -> None:
    module = import_module("pyiso20022.pacs.pacs_008_001_08")

    with pytest.raises(AssertionError, match="has no 'Nme'"):
        filled(module.PartyIdentification135, {"Nme": "x"})


def test_text_written_for_long_lists_is_escaped() -> None:
    tree = {"A": "<&>", "B": {"": "1", "@Ccy": "\"<&'"}, "C": [True, {"D": "]]>"}], "E": None}

    node = etree.fromstring(written("T", tree))

    assert [child.tag for child in node] == ["A", "B", "C", "C"]
    assert node.findtext("A") == "<&>" and node[1].get("Ccy") == "\"<&'"
    assert node[2].text == "true" and node[3].findtext("D") == "]]>"


def _amount(root: etree._Element, name: str) -> tuple[Decimal, str]:
    node = next(root.iter("{*}" + name))
    return Decimal(str(node.text)), str(node.get("Ccy"))


def _texts(found: Any) -> list[str]:
    if isinstance(found, str):
        return [found]
    if isinstance(found, list):
        return [text for one in found for text in _texts(one)]
    if hasattr(found, "__dataclass_fields__"):
        return [
            text for name in found.__dataclass_fields__ for text in _texts(getattr(found, name))
        ]
    return []
