"""CEN's own sample invoices, where they are at hand: all are accepted, none is copied here.

Set SETTLE_SAMPLE_INVOICES to their folder, or have it at ../shared/data/invoices.
"""

import os
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from settlement.documents import intake
from settlement.documents.model import InvoiceDocument
from settlement.documents.rulebook import NAMESPACES
from settlement.documents.rules_engine import RulesEngine

_BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "invoices"
FOLDER = Path(os.environ.get("SETTLE_SAMPLE_INVOICES", _BESIDE))
FILES = sorted(FOLDER.glob("*.xml"))

pytestmark = pytest.mark.skipif(not FILES, reason=f"no sample invoices in {FOLDER}")


def test_every_official_sample_is_accepted_with_its_own_amounts(rules: RulesEngine) -> None:
    contents = [file.read_bytes() for file in FILES]

    results = intake.read_many(contents, engine=rules)

    for file, content, document in zip(FILES, contents, results, strict=True):
        assert isinstance(document, InvoiceDocument), (file.name, document)
        total = etree.fromstring(content).find("cac:LegalMonetaryTotal", NAMESPACES)
        assert total is not None
        payable = Decimal(total.findtext("cbc:PayableAmount", "", NAMESPACES))
        assert Decimal(document.payable_minor) == payable * 10**document.decimals, file.name
        assert document.number
        assert {warning.rule_id for warning in document.warnings} <= {"SR-VAT", "SR-IBAN"}
