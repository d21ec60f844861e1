"""What each demo document says: goods, prices, parties and taxes. Sums are worked out elsewhere.

Data only. Every amount is exact in cents, so that a document can be scaled by a whole number.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tax:
    """A VAT category with its rate, and why no VAT is charged where none is."""

    category: str
    rate: str = "0"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Goods:
    """A line. `allowance` and `charge` are an amount and its reason, on the line."""

    name: str
    quantity: str
    unit: str
    price: str
    tax: Tax
    hs: str = ""
    description: str = ""
    allowance: tuple[str, str] | None = None
    charge: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Extra:
    """A document level allowance or charge."""

    amount: str
    reason: str
    tax: Tax


@dataclass(frozen=True, slots=True)
class Spec:
    """A document. `credits` names the document that a credit note reduces."""

    name: str
    kind: str
    seller: str
    buyer: str
    currency: str
    number: str
    issued: str
    due: str
    lines: tuple[Goods, ...]
    allowances: tuple[Extra, ...] = ()
    charges: tuple[Extra, ...] = ()
    prepaid: str = "0"
    order: str = ""
    terms: str = ""
    note: str = ""
    tax_currency: str = ""
    tax_currency_tax: str = ""
    credits: str = ""


EXPORT = Tax("G", "0", "Export outside the EU, free of VAT")
ZERO = Tax("Z")
REVERSE = Tax("AE", "0", "Reverse charge: the customer owes the tax")
EXEMPT = Tax("E", "0", "Training is exempt from VAT")
OUTSIDE = Tax("O", "", "Not subject to VAT")
S19, S7, S5, S18, S12 = (Tax("S", rate) for rate in ("19", "7", "5", "18", "12"))

SPECS = (
    Spec(
        "ubl-01-ring-spinning-parts", "ubl", "hartwig", "kaveri", "EUR",
        "HM-BASE-0101", "2026-09-07", "2026-10-07",
        lines=(
            Goods("Drafting roller set, ring frame", "6", "SET", "245.00", EXPORT, "84483200"),
            Goods("Spindle bearing, sealed", "48", "C62", "18.50", EXPORT, "84483390",
                  allowance=("44.00", "Quantity discount")),
            Goods("Lubricant for spindles", "20", "LTR", "9.80", EXPORT, "34031980"),
        ),
        allowances=(Extra("62.00", "Loyalty discount", EXPORT),),
        charges=(Extra("180.00", "Air freight to Coimbatore", EXPORT),),
        order="KTE-PO-5521", terms="30 days net", note="Proof of export: MRN follows by e-mail.",
    ),
    Spec(
        "ubl-02-aluminium-billets", "ubl", "alnoor", "hartwig", "USD",
        "ANM-BASE-0201", "2026-09-09", "2026-11-08",
        lines=(
            Goods("Aluminium billet 6063, 178 mm", "2.5", "TNE", "2640.00", ZERO, "76042990"),
            Goods("Aluminium billet 6082, 203 mm", "1.5", "TNE", "2780.00", ZERO, "76042990"),
        ),
        charges=(Extra("310.00", "Sea freight Jebel Ali - Hamburg", ZERO),),
        order="HM-4410", terms="60 days after bill of lading",
    ),
    Spec(
        "ubl-03-cotton-yarn", "ubl", "kaveri", "lingyun", "INR",
        "KTE-BASE-0301", "2026-09-10", "2026-10-25",
        lines=(
            Goods("Combed cotton yarn Ne 40/1", "120", "KGM", "312.50", ZERO, "52052400"),
            Goods("Combed cotton yarn Ne 60/1", "80", "KGM", "401.25", ZERO, "52052700"),
            Goods("Paper cones", "200", "C62", "6.50", ZERO, "48221000"),
        ),
        order="SLE-CN-20933", note="Export under letter of undertaking, without IGST.",
    ),
    Spec(
        "ubl-04-motor-drives", "ubl", "lingyun", "hartwig", "CNY",
        "LYE-BASE-0401", "2026-09-11", "2026-10-11",
        lines=(
            Goods("Servo drive 2.2 kW, EtherCAT", "10", "C62", "2180.00", OUTSIDE, "85044090"),
            Goods("Brake resistor 100 ohm", "10", "C62", "145.00", OUTSIDE, "85332900"),
        ),
        allowances=(Extra("450.00", "Launch discount", OUTSIDE),),
        order="HM-4417", terms="30 days net",
    ),
    Spec(
        "ubl-05-service-several-rates", "ubl", "hartwig", "alnoor", "EUR",
        "HM-BASE-0501", "2026-09-14", "2026-10-14",
        lines=(
            Goods("Repair of a billet saw at our works", "14", "HUR", "98.00", S19),
            Goods("Saw blade 660 mm, carbide", "2", "C62", "415.00", S19, "82023100"),
            Goods("Operating manual, printed", "3", "C62", "40.00", S7, "49019900"),
            Goods("Operator training at our works", "1", "DAY", "760.00", EXEMPT),
        ),
        charges=(Extra("25.00", "Packaging", S19),),
        order="ANM-PO-118",
    ),
    Spec(
        "ubl-06-copper-rod", "ubl", "alnoor", "kaveri", "AED",
        "ANM-BASE-0601", "2026-09-15", "2026-10-30",
        lines=(
            Goods("Copper rod 8 mm, ETP", "1.2", "TNE", "35400.00", ZERO, "74081100"),
            Goods("Cutting and spooling in Dubai", "1.2", "TNE", "620.00", S5),
        ),
        allowances=(Extra("240.00", "Early order discount", ZERO),),
        charges=(Extra("380.00", "Insurance", ZERO),),
        prepaid="4000.00", order="KTE-PO-5533",
        terms="40 % advance received, balance 45 days",
    ),
    Spec(
        "ubl-07-engineering-reverse-charge", "ubl", "hartwig", "lingyun", "USD",
        "HM-BASE-0701", "2026-09-16", "2026-10-16",
        lines=(
            Goods("Engineering of a winding cell", "36", "HUR", "132.00", REVERSE),
            Goods("Remote commissioning", "4", "DAY", "890.00", REVERSE),
        ),
        order="SLE-CN-20951", terms="30 days net",
    ),
    Spec(
        "ubl-08-credit-note-service", "ubl", "hartwig", "alnoor", "EUR",
        "HM-BASE-0801", "2026-09-28", "2026-10-28",
        lines=(
            Goods("Repair of a billet saw: hours charged twice", "2", "HUR", "98.00", S19),
            Goods("Operating manual, printed: returned", "1", "C62", "40.00", S7, "49019900"),
        ),
        credits="ubl-05-service-several-rates", terms="Set off against our invoice",
    ),
    Spec(
        "ubl-09-usd-with-euro-tax", "ubl", "hartwig", "lingyun", "USD",
        "HM-BASE-0901", "2026-09-17", "2026-10-17",
        lines=(
            Goods("Winding head, handed over in Esslingen", "2", "C62", "3150.00", S19, "84484900"),
            Goods("Mounting kit", "2", "SET", "225.00", S19, "84484900",
                  charge=("30.00", "Express picking")),
        ),
        tax_currency="EUR", tax_currency_tax="1187.60", order="SLE-CN-20958",
        note="USD 1 = EUR 0.92 on the day of issue.",
    ),
    Spec(
        "cii-01-knitting-machine-parts", "cii", "hartwig", "kaveri", "EUR",
        "HM-BASE-1001", "2026-09-18", "2026-10-18",
        lines=(
            Goods("Needle bed, 12 gauge", "4", "C62", "1120.00", EXPORT, "84485110"),
            Goods("Yarn feeder, electronic", "16", "C62", "86.00", EXPORT, "84485900",
                  allowance=("76.00", "Quantity discount")),
        ),
        allowances=(Extra("100.00", "Project discount", EXPORT),),
        charges=(Extra("240.00", "Sea freight Hamburg - Tuticorin", EXPORT),),
        order="KTE-PO-5540", terms="30 days net",
    ),
    Spec(
        "cii-02-sensors", "cii", "lingyun", "alnoor", "CNY",
        "LYE-BASE-1101", "2026-09-21", "2026-11-05",
        lines=(
            Goods("Temperature sensor PT100, 6 m", "60", "C62", "118.00", OUTSIDE, "90251900"),
            Goods("Furnace controller, 8 zones", "3", "C62", "4260.00", OUTSIDE, "90328900"),
            Goods("Configuration per zone", "24", "C62", "35.00", OUTSIDE),
        ),
        order="ANM-PO-121",
    ),
    Spec(
        "cii-03-credit-note-sensors", "cii", "lingyun", "alnoor", "CNY",
        "LYE-BASE-1201", "2026-10-02", "2026-11-01",
        lines=(
            Goods("Temperature sensor PT100: damaged", "5", "C62", "118.00", OUTSIDE, "90251900"),
        ),
        credits="cii-02-sensors", note="Damaged in transit, survey report attached to the parcel.",
    ),
    Spec(
        "cii-04-garments-two-rates", "cii", "kaveri", "hartwig", "USD",
        "KTE-BASE-1301", "2026-09-22", "2026-10-22",
        lines=(
            Goods("Work jacket, cotton drill", "150", "C62", "14.50", S12, "62033200"),
            Goods("Screen printing of logos", "150", "C62", "1.20", S18),
        ),
        allowances=(Extra("75.00", "Second order this quarter", S12),),
        prepaid="500.00", order="HM-4425", terms="USD 500 received in advance",
    ),
    Spec(
        "facturx-01-winding-head", "facturx", "hartwig", "alnoor", "EUR",
        "HM-BASE-1401", "2026-09-23", "2026-10-23",
        lines=(
            Goods("Hydraulic puller for billets", "1", "C62", "5480.00", EXPORT, "84799070"),
            Goods("Hose set", "2", "SET", "164.00", EXPORT, "40092200"),
        ),
        charges=(Extra("290.00", "Crate and export papers", EXPORT),),
        order="ANM-PO-125", terms="30 days net",
    ),
    Spec(
        "facturx-02-aluminium-profiles", "facturx", "alnoor", "lingyun", "AED",
        "ANM-BASE-1501", "2026-09-24", "2026-10-24",
        lines=(
            Goods("Aluminium profile 40 x 80, 6 m", "90", "C62", "148.00", ZERO, "76042100"),
            Goods("Heat sink profile, 2.5 m", "40", "C62", "92.50", ZERO, "76042100"),
        ),
        allowances=(Extra("320.00", "Cash discount agreed", ZERO),),
        order="SLE-CN-20977",
    ),
    Spec(
        "json-01-fabric", "json", "kaveri", "lingyun", "USD",
        "KTE-BASE-1601", "2026-09-25", "2026-10-25",
        lines=(
            Goods("Cotton twill 240 g/m2, dyed", "850", "MTR", "3.40", ZERO, "52093200"),
            Goods("Cotton poplin 115 g/m2, bleached", "600", "MTR", "2.15", ZERO, "52082200"),
            Goods("Lab dip approval", "4", "C62", "25.00", ZERO),
        ),
        charges=(Extra("95.00", "Courier", ZERO),),
        order="SLE-CN-20980",
    ),
    Spec(
        "json-02-steel-coil", "json", "alnoor", "kaveri", "AED",
        "ANM-BASE-1701", "2026-09-25", "2026-11-09",
        lines=(
            Goods("Steel coil DX51D, 1.0 mm", "3.2", "TNE", "2850.00", ZERO, "72104900"),
            Goods("Slitting in Dubai", "3.2", "TNE", "150.00", S5),
            Goods("Customs clearance", "1", "C62", "420.00", S5),
        ),
        prepaid="1500.00", order="KTE-PO-5549",
    ),
    Spec(
        "json-03-garments-inr", "json", "kaveri", "alnoor", "INR",
        "KTE-BASE-1801", "2026-09-29", "2026-10-29",
        lines=(
            Goods("Coverall, flame retardant", "40", "C62", "1850.00", ZERO, "62113300"),
            Goods("Cotton gloves", "300", "PR", "38.00", ZERO, "61161000",
                  allowance=("400.00", "Carton discount")),
            Goods("Embroidered badge", "40", "C62", "45.00", ZERO, "58109200"),
        ),
        allowances=(Extra("1000.00", "Framework contract", ZERO),),
        order="ANM-PO-131",
    ),
    Spec(
        "json-04-credit-note-garments", "json", "kaveri", "alnoor", "INR",
        "KTE-BASE-1901", "2026-10-06", "2026-11-05",
        lines=(
            Goods("Cotton gloves: short delivery", "50", "PR", "38.00", ZERO, "61161000"),
        ),
        credits="json-03-garments-inr",
    ),
    Spec(
        "json-05-controllers", "json", "lingyun", "hartwig", "CNY",
        "LYE-BASE-2001", "2026-09-30", "2026-10-30",
        lines=(
            Goods("Motion controller, 4 axes", "8", "C62", "3640.00", OUTSIDE, "85371019"),
            Goods("Encoder cable, 5 m", "32", "C62", "58.00", OUTSIDE, "85444290"),
            Goods("Firmware option: camming", "8", "C62", "320.00", OUTSIDE),
        ),
        order="HM-4431", terms="30 days net",
    ),
)  # fmt: skip
