"""The four companies of the demo: a seller and a buyer on each of four shores.

Made up, with identifiers whose check digits are right.
They hold no wallet: the demo gives them one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoCompany:
    """A company as a participant and as a party; `currencies` are those it trades in."""

    key: str
    name: str
    lei: str
    country: str
    street: str
    city: str
    postcode: str
    subdivision: str
    vat_id: str
    iban: str
    currencies: tuple[str, ...]
    business: str
    """What the company makes or trades, in one sentence."""


COMPANIES = (
    DemoCompany(
        key="hartwig",
        name="Hartwig Maschinenbau GmbH",
        lei="529900HARTWIG7MB2K73",
        country="DE",
        street="Industriestraße 14",
        city="Esslingen am Neckar",
        postcode="73730",
        subdivision="Baden-Württemberg",
        vat_id="DE129274202",
        iban="DE92611500200100417826",
        currencies=("EUR", "USD"),
        business="Builds textile and metal working machines and supplies their spare parts.",
    ),
    DemoCompany(
        key="alnoor",
        name="Al Noor Metals Trading FZCO",
        lei="2138005NOORMTL84QX03",
        country="AE",
        street="Jebel Ali Free Zone, Plot S20116",
        city="Dubai",
        postcode="17000",
        subdivision="Dubai",
        vat_id="AE100412876500003",
        iban="AE530331234567890126411",
        currencies=("AED", "USD"),
        business="Trades aluminium, copper and steel between the Gulf, Europe and Asia.",
    ),
    DemoCompany(
        key="kaveri",
        name="Kaveri Textile Exports Private Limited",
        lei="984500KAVERITX3P6178",
        country="IN",
        street="212 Avinashi Road, Peelamedu",
        city="Coimbatore",
        postcode="641004",
        subdivision="Tamil Nadu",
        vat_id="IN33AAKCK7412D1ZT",
        iban="",
        currencies=("INR", "USD"),
        business="Spins and weaves cotton, and exports yarn, fabric and garments.",
    ),
    DemoCompany(
        key="lingyun",
        name="Shenzhen Lingyun Electronics Co., Ltd.",
        lei="300300LINGYUNE7C4211",
        country="CN",
        street="Building 7, 88 Keyuan South Road, Nanshan",
        city="Shenzhen",
        postcode="518057",
        subdivision="Guangdong",
        vat_id="CN91440300MA5F7LYE2W",
        iban="",
        currencies=("CNY", "USD"),
        business="Makes motor drives, controllers and sensors for machines.",
    ),
)
"""In the order in which the demo introduces them."""


def company(key: str) -> DemoCompany:
    """Return a company by its key."""
    return next(one for one in COMPANIES if one.key == key)


def company_by_lei(lei: str) -> DemoCompany:
    """Return a company by its LEI."""
    return next(one for one in COMPANIES if one.lei == lei)
