"""Where each field of an entry stands among its texts: worked out once for each shape of entry.

A bank writes its entries in few shapes. An entry is put into text in one step, its markup is
looked up, and its fields are picked by number: a third of what asking the tree for each costs.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from lxml import etree

SHAPES_MAX = 2_000
"""A file with more shapes than this is read shape by shape anew: slower, in bounded memory."""

Texts = Sequence[str | None]
Pick = Callable[[Texts], tuple[str | None, ...]]

ENTRY_FIELDS: Mapping[str, tuple[str, ...]] = {
    "amount": ("Amt",),
    "sign": ("CdtDbtInd",),
    "reversal": ("RvslInd",),
    "status": ("Sts/Cd", "Sts"),
    "booked": ("BookgDt/Dt", "BookgDt/DtTm"),
    "valued": ("ValDt/Dt", "ValDt/DtTm"),
    "reference": ("AcctSvcrRef",),
    "domain": ("BkTxCd/Domn/Cd",),
    "family": ("BkTxCd/Domn/Fmly/Cd",),
    "sub_family": ("BkTxCd/Domn/Fmly/SubFmlyCd",),
    "own_code": ("BkTxCd/Prtry/Cd",),
    "batch": ("NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId"),
    "more": ("AddtlNtryInf",),
}
DETAIL_FIELDS: Mapping[str, tuple[str, ...]] = {
    "amount": ("Amt", "AmtDtls/TxAmt/Amt"),
    "sign": ("CdtDbtInd",),
    "reference": ("Refs/AcctSvcrRef",),
    "instruction": ("Refs/InstrId", "Refs/PmtInfId"),
    "end_to_end": ("Refs/EndToEndId",),
    "uetr": ("Refs/UETR",),
    "creditor_reference": ("RmtInf/Strd/CdtrRefInf/Ref",),
    "debtor": ("RltdPties/Dbtr/Pty/Nm", "RltdPties/Dbtr/Nm"),
    "debtor_account": ("RltdPties/DbtrAcct/Id/IBAN", "RltdPties/DbtrAcct/Id/Othr/Id"),
    "creditor": ("RltdPties/Cdtr/Pty/Nm", "RltdPties/Cdtr/Nm"),
    "creditor_account": ("RltdPties/CdtrAcct/Id/IBAN", "RltdPties/CdtrAcct/Id/Othr/Id"),
    "domain": ("BkTxCd/Domn/Cd",),
    "family": ("BkTxCd/Domn/Fmly/Cd",),
    "sub_family": ("BkTxCd/Domn/Fmly/SubFmlyCd",),
    "own_code": ("BkTxCd/Prtry/Cd",),
    "reason": ("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
    "more": ("AddtlTxInf",),
}
_REMITTANCE = ("RmtInf/Ustrd", "RmtInf/Strd/RfrdDocInf/Nb", "RmtInf/Strd/AddtlRmtInf")
_CHARGES_TOTAL = "Chrgs/TtlChrgsAndTaxAmt"
_CHARGES = ("Chrgs/Rcrd/Amt", "Chrgs/Amt")
_DETAIL = "NtryDtls/TxDtls/"
_TEXT = re.compile(">([^<]+)<")


class Charge(NamedTuple):
    """Where a charge stands, and its currency."""

    place: int
    currency: str


class DetailPlan(NamedTuple):
    """Where the fields of one detail stand."""

    pick: Pick
    currency: str | None
    """Of its amount; None: it has none."""
    remittance: tuple[int, ...]
    charges: tuple[Charge, ...]


class EntryPlan(NamedTuple):
    """Where the fields of an entry stand; `-1` is what it does not have."""

    pick: Pick
    currency: str
    details: tuple[DetailPlan, ...]
    charges: tuple[Charge, ...]


class _Found(NamedTuple):
    path: str
    detail: int
    """From 1; 0 is the entry's own."""
    currency: str
    text: str


class Shapes:
    """The plans of the shapes that a file has shown so far."""

    def __init__(self) -> None:
        self._plans: dict[str, EntryPlan] = {}

    def read(
        self, element: etree._Element, meet: Callable[[etree._Element], None]
    ) -> tuple[EntryPlan, list[str | None]]:
        """Return an entry's plan, and its texts with None as the last.

        `meet` is given the first entry of each shape.
        """
        content: str = etree.tostring(element, encoding="unicode", with_tail=False)
        parts = _TEXT.split(content)
        texts: list[str | None] = [*parts[1::2], None]
        if "&" in content:
            texts = [html.unescape(text) if text else None for text in texts]
        shape = "><".join(parts[::2])
        plan = self._plans.get(shape)
        if plan is None:
            if len(self._plans) >= SHAPES_MAX:
                self._plans.clear()
            meet(element)
            plan = self._plans[shape] = plan_of(element)
        return plan, texts


def texts_of(element: etree._Element) -> list[str]:
    """Return every text of an entry, in the order that its plan counts them by."""
    return [each.text for each in _texts(element, "", _Details())]


def plan_of(element: etree._Element) -> EntryPlan:
    """Return where each field of an entry stands among its texts."""
    found = list(_texts(element, "", _Details()))
    own = _places(found, 0)
    amount = own.get("Amt")
    details = max((each.detail for each in found), default=0)
    return EntryPlan(
        pick=_pick(own, ENTRY_FIELDS),
        currency=found[amount[0]].currency if amount else "",
        details=tuple(_detail_plan(found, number) for number in range(1, details + 1)),
        charges=_charges(found, own),
    )


def _detail_plan(found: Sequence[_Found], number: int) -> DetailPlan:
    places = _places(found, number)
    amount = next((places[path][0] for path in DETAIL_FIELDS["amount"] if path in places), None)
    remittance = [place for path in _REMITTANCE for place in places.get(path, ())]
    # More than one structured reference: the first is the reference, all others are text.
    remittance += places.get(DETAIL_FIELDS["creditor_reference"][0], [])[1:]
    return DetailPlan(
        pick=_pick(places, DETAIL_FIELDS),
        currency=None if amount is None else found[amount].currency,
        remittance=tuple(remittance),
        charges=_charges(found, places),
    )


def _places(found: Sequence[_Found], detail: int) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, each in enumerate(found):
        if each.detail == detail:
            places.setdefault(each.path, []).append(place)
    return places


def _pick(places: Mapping[str, list[int]], fields: Mapping[str, tuple[str, ...]]) -> Pick:
    chosen = [
        next((places[path][0] for path in paths if path in places), -1) for paths in fields.values()
    ]
    return itemgetter(*chosen)


def _charges(found: Sequence[_Found], places: Mapping[str, list[int]]) -> tuple[Charge, ...]:
    total = places.get(_CHARGES_TOTAL)
    each = total[:1] if total else [place for path in _CHARGES for place in places.get(path, ())]
    return tuple(Charge(place, found[place].currency) for place in each)


class _Details:
    """Counts the details of an entry while it is walked through."""

    number = 0


def _texts(element: etree._Element, path: str, details: _Details) -> Iterator[_Found]:
    """Yield every text in document order, with the path of the element that it stands in."""
    is_detail = path.startswith(_DETAIL)
    number = details.number if is_detail else 0
    shown = path[len(_DETAIL) :] if is_detail else path
    if element.text:
        yield _Found(shown, number, element.get("Ccy", ""), element.text)
    for child in element:
        local = etree.QName(child).localname
        step = f"{path}/{local}" if path else local
        if f"{step}/" == _DETAIL:
            details.number += 1
        yield from _texts(child, step, details)
        if child.tail:
            yield _Found("", number, "", child.tail)
