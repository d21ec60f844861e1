"""From a spec to the bytes of a document: sums worked out once, then UBL, CII or JSON.

XML is written by factur-x. Amounts are decimals here, since this runs only when documents are made.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

from facturx import generate_cii_xml, generate_ubl_xml

from gateway.demo.authoring.specs import Extra, Goods, Spec, Tax
from gateway.demo.companies import DemoCompany, company

_CENT = Decimal("0.01")
_PAYMENT_MEANS = "30"  # Credit transfer, UNTDID 4461.


def xml_of(spec: Spec, specs: dict[str, Spec]) -> bytes:
    """Return the document as UBL, or as CII for CII and Factur-X."""
    write = generate_ubl_xml if spec.kind == "ubl" else generate_cii_xml
    terms = _business_terms(spec, specs)
    content: bytes = write(terms, level="en16931", check_schematron=None)
    return content


def json_of(spec: Spec, specs: dict[str, Spec]) -> bytes:
    """Return the document as our JSON."""
    sums = totals(spec)
    plain: dict[str, Any] = {
        "type_code": "381" if spec.credits else "380",
        "number": spec.number,
        "issue_date": spec.issued,
        "due_date": spec.due,
        "currency": spec.currency,
        "payment_reference": spec.number,
        "seller": _json_party(company(spec.seller), _has_vat_ids(spec)),
        "buyer": _json_party(company(spec.buyer), _has_vat_ids(spec)),
        "lines": [_json_line(number, goods) for number, goods in enumerate(spec.lines, 1)],
        "allowances": [_json_extra(extra) for extra in spec.allowances],
        "charges": [_json_extra(extra) for extra in spec.charges],
        "vat_breakdown": [
            {
                "category": tax.category,
                **({"rate": tax.rate} if tax.rate else {}),
                "taxable": str(taxable),
                "tax": str(_tax(taxable, tax)),
                **({"exemption_reason": tax.reason} if tax.reason else {}),
            }
            for tax, taxable in breakdown(spec)
        ],
        "totals": {name: str(amount) for name, amount in sums.items()},
    }
    if spec.order:
        plain["order_reference"] = spec.order
    if spec.terms:
        plain["payment_terms"] = spec.terms
    if spec.credits:
        plain["preceding_number"] = specs[spec.credits].number
        plain["preceding_issue_date"] = specs[spec.credits].issued
    return (json.dumps(plain, indent=2, ensure_ascii=False) + "\n").encode()


def totals(spec: Spec) -> dict[str, Decimal]:
    """Return the document's totals by the names of our JSON."""
    lines = sum((_net(goods) for goods in spec.lines), Decimal(0))
    allowances = sum((Decimal(extra.amount) for extra in spec.allowances), Decimal(0))
    charges = sum((Decimal(extra.amount) for extra in spec.charges), Decimal(0))
    tax = sum((_tax(taxable, tax) for tax, taxable in breakdown(spec)), Decimal(0))
    without = lines - allowances + charges
    sums = {
        "lines_net": lines,
        "allowances": allowances,
        "charges": charges,
        "tax_exclusive": without,
        "tax": tax,
        "tax_inclusive": without + tax,
        "prepaid": Decimal(spec.prepaid),
        "payable": without + tax - Decimal(spec.prepaid),
    }
    return {name: amount.quantize(_CENT) for name, amount in sums.items()}


def breakdown(spec: Spec) -> list[tuple[Tax, Decimal]]:
    """Return each VAT category and rate with its taxable amount, in the order of first use."""
    sums: dict[Tax, Decimal] = {}
    parts = [(goods.tax, _net(goods)) for goods in spec.lines]
    parts += [(extra.tax, -Decimal(extra.amount)) for extra in spec.allowances]
    parts += [(extra.tax, Decimal(extra.amount)) for extra in spec.charges]
    for tax, amount in parts:
        sums[tax] = sums.get(tax, Decimal(0)) + amount
    return [(tax, amount.quantize(_CENT)) for tax, amount in sums.items()]


def _business_terms(spec: Spec, specs: dict[str, Spec]) -> dict[str, Any]:
    """Return the document by its business terms (BT-…, BG-…), as factur-x takes them."""
    sums, seller, buyer = totals(spec), company(spec.seller), company(spec.buyer)
    has_vat_ids = _has_vat_ids(spec)
    terms: dict[str, Any] = {
        "BT-1": spec.number,
        "BT-2": date.fromisoformat(spec.issued),
        "BT-3": "381" if spec.credits else "380",
        "BT-5": spec.currency,
        "BT-9": date.fromisoformat(spec.due),
        "BT-13": spec.order,
        "BT-20": spec.terms,
        "BT-24": "urn:cen.eu:en16931:2017",
        "BG-1": [{"BT-22": spec.note}] if spec.note else [],
        "BG-4": _party(seller, has_vat_ids),
        "BG-7": _party(buyer, has_vat_ids),
        "BT-72": date.fromisoformat(spec.issued),
        "BT-81": _PAYMENT_MEANS,
        "BT-83": spec.number,
        "BT-84": seller.iban or f"WALLET-{seller.lei}",
        "BG-20": [_extra(extra) for extra in spec.allowances],
        "BG-21": [_extra(extra) for extra in spec.charges],
        "BG-23": [_breakdown_part(tax, taxable) for tax, taxable in breakdown(spec)],
        "BG-25": [_line(number, goods) for number, goods in enumerate(spec.lines, 1)],
        "BT-106": sums["lines_net"],
        "BT-107": sums["allowances"] if spec.allowances else None,
        "BT-108": sums["charges"] if spec.charges else None,
        "BT-109": sums["tax_exclusive"],
        "BT-110": sums["tax"],
        "BT-112": sums["tax_inclusive"],
        "BT-113": sums["prepaid"] if sums["prepaid"] else None,
        "BT-115": sums["payable"],
    }
    if spec.tax_currency:
        terms |= {"BT-6": spec.tax_currency, "BT-111": Decimal(spec.tax_currency_tax)}
    if spec.credits:
        first = specs[spec.credits]
        terms["BG-3"] = [{"BT-25": first.number, "BT-26": date.fromisoformat(first.issued)}]
    given = {name: value for name, value in terms.items() if value not in (None, "", [])}
    texts: dict[str, Any] = _as_texts(given)
    return texts


def _as_texts(value: Any) -> Any:
    """Return the same with every decimal as its string: factur-x takes strings or floats."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {name: _as_texts(part) for name, part in value.items()}
    return [_as_texts(part) for part in value] if isinstance(value, list) else value


def _party(it: DemoCompany, has_vat_id: bool) -> dict[str, Any]:
    return {
        "name": it.name,
        "legal_identifier": it.lei,
        "legal_identifier_schemeid": "0199",
        "addr_l1": it.street,
        "city": it.city,
        "postcode": it.postcode,
        "country_subdivision": it.subdivision,
        "country_code": it.country,
        "einvoicing_addr": it.lei,
        "einvoicing_addr_schemeid": "0199",
        **({"vat_identifier": it.vat_id} if has_vat_id else {}),
    }


def _line(number: int, goods: Goods) -> dict[str, Any]:
    line: dict[str, Any] = {
        "BT-126": str(number),
        "BT-129": Decimal(goods.quantity),
        "BT-130": goods.unit,
        "BT-131": _net(goods),
        "BT-146": Decimal(goods.price),
        "BT-151": goods.tax.category,
        "BT-153": goods.name,
    }
    if goods.tax.rate:
        line["BT-152"] = Decimal(goods.tax.rate)
    if goods.hs:
        line["BT-158"] = {"HS": {None: goods.hs}}
    for group, part in (("BG-27", goods.allowance), ("BG-28", goods.charge)):
        if part:
            line[group] = [{"amount": Decimal(part[0]), "reason": part[1]}]
    return line


def _extra(extra: Extra) -> dict[str, Any]:
    return {
        "amount": Decimal(extra.amount),
        "reason": extra.reason,
        "vat_category_code": extra.tax.category,
        **({"vat_rate": Decimal(extra.tax.rate)} if extra.tax.rate else {}),
    }


def _breakdown_part(tax: Tax, taxable: Decimal) -> dict[str, Any]:
    return {
        "BT-116": taxable,
        "BT-117": _tax(taxable, tax),
        "BT-118": tax.category,
        **({"BT-119": Decimal(tax.rate)} if tax.rate else {}),
        **({"BT-120": tax.reason} if tax.reason else {}),
    }


def _json_party(it: DemoCompany, has_vat_id: bool) -> dict[str, Any]:
    return {
        "name": it.name,
        "lei": it.lei,
        **({"vat_id": it.vat_id} if has_vat_id else {}),
        "address": {
            "street": it.street,
            "city": it.city,
            "postcode": it.postcode,
            "subdivision": it.subdivision,
            "country": it.country,
        },
    }


def _json_line(number: int, goods: Goods) -> dict[str, Any]:
    return {
        "id": str(number),
        "name": goods.name,
        "quantity": goods.quantity,
        "unit": goods.unit,
        "price": goods.price,
        **({"allowance": goods.allowance[0]} if goods.allowance else {}),
        **({"charge": goods.charge[0]} if goods.charge else {}),
        "net": str(_net(goods)),
        "vat_category": goods.tax.category,
        **({"vat_rate": goods.tax.rate} if goods.tax.rate else {}),
        **({"classifications": [{"scheme": "HS", "code": goods.hs}]} if goods.hs else {}),
    }


def _json_extra(extra: Extra) -> dict[str, Any]:
    return {
        "amount": extra.amount,
        "reason": extra.reason,
        "vat_category": extra.tax.category,
        **({"vat_rate": extra.tax.rate} if extra.tax.rate else {}),
    }


def _has_vat_ids(spec: Spec) -> bool:
    """Whether the parties show VAT identifiers: not where nothing is subject to VAT (BR-O-02)."""
    return all(goods.tax.category != "O" for goods in spec.lines)


def _net(goods: Goods) -> Decimal:
    net = Decimal(goods.quantity) * Decimal(goods.price)
    net -= Decimal(goods.allowance[0]) if goods.allowance else 0
    net += Decimal(goods.charge[0]) if goods.charge else 0
    assert net == net.quantize(_CENT), f"{goods.name}: {net} is not exact in cents"
    return net.quantize(_CENT)


def _tax(taxable: Decimal, tax: Tax) -> Decimal:
    exact = taxable * Decimal(tax.rate or 0) / 100
    assert exact == exact.quantize(_CENT), f"{taxable} at {tax.rate} % is not exact in cents"
    return exact.quantize(_CENT)
