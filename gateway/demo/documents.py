"""Demo documents in any number: the shipped ones, varied in number, dates, quantities and amounts.

Deterministic: the same arguments give the same bytes. A document is scaled by a whole number, so
that every sum and every tax stays exact and every rule still holds.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any

from gateway.demo.facturx_pdf import facturx_pdf

KINDS = ("ubl", "cii", "facturx", "json")

_SCALE_MAX = 40
_DAYS_MAX = 28
_MEDIA_TYPES = {
    "ubl": "application/xml",
    "cii": "application/xml",
    "facturx": "application/pdf",
    "json": "application/json",
}
_UBL_VALUE = re.compile(
    r"(<cbc:(?!PriceAmount)\w+ currencyID=\"[A-Z]{3}\">|<cbc:(?:Invoiced|Credited)Quantity [^>]*>)"
    r"(-?[0-9.]+)"
)
_UBL_DAY = re.compile(r"(<cbc:\w*Date>)(\d{4}-\d\d-\d\d)")
_CII_VALUE = re.compile(
    r"(<ram:(?:BilledQuantity|LineTotalAmount|ChargeTotalAmount|AllowanceTotalAmount"
    r"|TaxBasisTotalAmount|TaxTotalAmount|GrandTotalAmount|TotalPrepaidAmount|DuePayableAmount"
    r"|CalculatedAmount|BasisAmount|ActualAmount)[^>]*>)(-?[0-9.]+)"
)
_CII_DAY = re.compile(r"(format=\"102\">)(\d{8})")
_JSON_VALUE = re.compile(
    r"(\"(?:quantity|net|allowance|charge|amount|taxable|tax|lines_net|allowances|charges"
    r"|tax_exclusive|tax_inclusive|prepaid|rounding|payable)\": \")(-?[0-9.]+)"
)
_JSON_DAY = re.compile(r"(\"\w*date\": \")(\d{4}-\d\d-\d\d)")
_PATTERNS = {
    "ubl": (_UBL_VALUE, _UBL_DAY),
    "cii": (_CII_VALUE, _CII_DAY),
    "facturx": (_CII_VALUE, _CII_DAY),
    "json": (_JSON_VALUE, _JSON_DAY),
}


@dataclass(frozen=True, slots=True)
class DemoDocument:
    """A document ready to be sent, and what stands in it. `payable` is a decimal string.

    `seller` and `buyer` are keys of `companies`; `credits` is the number of the document in the
    same list that a credit note reduces.
    """

    name: str
    template: str
    kind: str
    media_type: str
    content: bytes
    number: str
    type_code: str
    currency: str
    payable: str
    seller: str
    buyer: str
    credits: str = ""

    @property
    def payable_cents(self) -> int:
        """The payable amount in minor units: every currency of the demo has two decimals."""
        return int(self.payable.replace(".", ""))


@dataclass(frozen=True, slots=True)
class _Template:
    name: str
    kind: str
    seller: str
    buyer: str
    currency: str
    number: str
    payable: str
    credits: str
    text: str


def documents(
    count: int,
    seed: int,
    *,
    first_number: int = 1,
    kinds: Collection[str] = KINDS,
    day: date | None = None,
    scale_max: int = _SCALE_MAX,
) -> list[DemoDocument]:
    """Return `count` distinct, valid documents. Every structure comes before any comes twice.

    Numbers run upward from `first_number`: another call with numbers beyond gives no duplicates. A
    credit note follows the invoice that it reduces. `day` is the first day of issue, `scale_max`
    the most by which quantities and amounts are multiplied.
    """
    chooser = random.Random(seed)
    usable = [template for template in _templates() if template.kind in kinds]
    made: list[DemoDocument] = []
    while len(made) < count:
        made += _round(usable, chooser, first_number + len(made), day, scale_max)[
            : count - len(made)
        ]
    return made


def shipped() -> list[DemoDocument]:
    """Return the documents as they are shipped, one a template."""
    return [_document(it, it.number, it.payable, _shipped_bytes(it)) for it in _templates()]


def broken(name: str) -> bytes:
    """Return a document that has to be refused: see the folder `documents/broken`."""
    return (files("gateway.demo") / "documents" / "broken" / name).read_bytes()


def _round(
    usable: list[_Template],
    chooser: random.Random,
    number: int,
    day: date | None,
    scale_max: int,
) -> list[DemoDocument]:
    """Return each template once, varied; invoices in any order, then the credit notes to them."""
    invoices = [it for it in usable if not it.credits]
    chooser.shuffle(invoices)
    scales: dict[str, int] = {}
    shifts: dict[str, timedelta] = {}
    numbers: dict[str, str] = {}
    made: list[DemoDocument] = []
    for it in (*invoices, *(it for it in usable if it.credits)):
        scales[it.name] = scales.get(it.credits) or chooser.randint(1, scale_max)
        numbers[it.name] = f"{it.number.partition('-')[0]}-2026-{number + len(made):06d}"
        payable = _scaled(it.payable, scales[it.name])
        # A credit note names the day of its invoice: both move by as much.
        shifts[it.name] = shifts[it.credits] if it.credits else _shift(it, chooser, day)
        text = _varied(it, scales[it.name], shifts[it.name])
        for name in filter(None, (it.name, it.credits)):
            base = next(one.number for one in usable if one.name == name)
            text = text.replace(base, numbers[name])
        content = facturx_pdf(text.encode()) if it.kind == "facturx" else text.encode()
        made.append(_document(it, numbers[it.name], payable, content, numbers.get(it.credits, "")))
    return made


def _document(
    it: _Template, number: str, payable: str, content: bytes, credits: str = ""
) -> DemoDocument:
    suffix = {"facturx": "pdf", "json": "json"}.get(it.kind, "xml")
    return DemoDocument(
        name=f"{number}.{suffix}",
        template=it.name,
        kind=it.kind,
        media_type=_MEDIA_TYPES[it.kind],
        content=content,
        number=number,
        type_code="381" if it.credits else "380",
        currency=it.currency,
        payable=payable,
        seller=it.seller,
        buyer=it.buyer,
        credits=credits,
    )


def _shift(it: _Template, chooser: random.Random, day: date | None) -> timedelta:
    """Return by how much every date of an invoice moves."""
    days = timedelta(days=chooser.randrange(_DAYS_MAX))
    if day is None:
        return days
    found = _PATTERNS[it.kind][1].findall(it.text)
    first = min(_day(value) for _, value in found)
    return day - first + days


def _varied(it: _Template, scale: int, shift: timedelta) -> str:
    values, days = _PATTERNS[it.kind]
    text = values.sub(lambda found: found[1] + _scaled(found[2], scale), it.text)
    return days.sub(lambda found: found[1] + _moved(found[2], shift), text)


def _scaled(value: str, scale: int) -> str:
    """Return a decimal times a whole number, with as many digits after the point as before."""
    return str(Decimal(value) * scale)


def _moved(value: str, shift: timedelta) -> str:
    moved = _day(value) + shift
    return moved.isoformat() if "-" in value else f"{moved:%Y%m%d}"


def _day(value: str) -> date:
    digits = value.replace("-", "")
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def _shipped_bytes(it: _Template) -> bytes:
    if it.kind != "facturx":
        return it.text.encode()
    return (files("gateway.demo") / "documents" / f"{it.name}.pdf").read_bytes()


@lru_cache(maxsize=1)
def _templates() -> tuple[_Template, ...]:
    folder = files("gateway.demo") / "documents"
    index: list[dict[str, Any]] = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    return tuple(
        _Template(
            **entry,
            text=(
                folder / f"{entry['name']}.{'json' if entry['kind'] == 'json' else 'xml'}"
            ).read_text(encoding="utf-8"),
        )
        for entry in index
    )
