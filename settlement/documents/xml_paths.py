"""Where EN 16931's business terms stand in UBL 2.1 and in CII D22B: two tables of paths.

Data only. Source: EN 16931-3-2 (UBL), EN 16931-3-3 (CII).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PartyPaths:
    """Paths from a party's element. `vat_id` is an XPath with a condition."""

    name: str
    legal_id: str
    identifiers: str
    vat_id: str
    endpoint: str
    country: str
    street: str
    additional_street: str
    city: str
    postcode: str
    subdivision: str


@dataclass(frozen=True, slots=True)
class TaxPaths:
    """Paths from a line's, an allowance's or the document's tax element."""

    category: str
    rate: str


@dataclass(frozen=True, slots=True)
class LinePaths:
    """Paths from a line's element."""

    id: str
    name: str
    description: str
    quantity: str
    price: str
    net: str
    classes: str
    tax: TaxPaths


@dataclass(frozen=True, slots=True)
class TotalPaths:
    """Paths from the root of the document's totals; `tax` may be there once a currency."""

    lines_net: str
    allowances: str
    charges: str
    tax_exclusive: str
    tax: str
    tax_inclusive: str
    prepaid: str
    rounding: str
    payable: str


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths from the root element of one syntax."""

    number: str
    issue_date: str
    due_dates: tuple[str, ...]
    type_code: str
    currency: str
    tax_currency: str
    order_reference: str
    preceding: str
    preceding_number: str
    preceding_date: str
    notes: str
    seller: str
    buyer: str
    party: PartyPaths
    payment_reference: str
    payment_terms: str
    account: str
    adjustments: str
    adjustment_is_charge: str
    adjustment_amount: str
    adjustment_reason: str
    adjustment_tax: TaxPaths
    breakdown: str
    breakdown_taxable: str
    breakdown_tax: str
    breakdown_reason: str
    breakdown_category: TaxPaths
    totals: TotalPaths
    lines: str
    line: LinePaths


def _ubl(root: str, line: str, quantity: str, due_dates: tuple[str, ...]) -> Paths:
    return Paths(
        number="cbc:ID",
        issue_date="cbc:IssueDate",
        due_dates=due_dates,
        type_code=f"cbc:{root}TypeCode",
        currency="cbc:DocumentCurrencyCode",
        tax_currency="cbc:TaxCurrencyCode",
        order_reference="cac:OrderReference/cbc:ID",
        preceding="cac:BillingReference/cac:InvoiceDocumentReference",
        preceding_number="cbc:ID",
        preceding_date="cbc:IssueDate",
        notes="cbc:Note",
        seller="cac:AccountingSupplierParty/cac:Party",
        buyer="cac:AccountingCustomerParty/cac:Party",
        party=_ubl_party(),
        payment_reference="cac:PaymentMeans/cbc:PaymentID",
        payment_terms="cac:PaymentTerms/cbc:Note",
        account="cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID",
        adjustments="cac:AllowanceCharge",
        adjustment_is_charge="cbc:ChargeIndicator",
        adjustment_amount="cbc:Amount",
        adjustment_reason="cbc:AllowanceChargeReason",
        adjustment_tax=TaxPaths("cac:TaxCategory/cbc:ID", "cac:TaxCategory/cbc:Percent"),
        breakdown="cac:TaxTotal/cac:TaxSubtotal",
        breakdown_taxable="cbc:TaxableAmount",
        breakdown_tax="cbc:TaxAmount",
        breakdown_reason="cac:TaxCategory/cbc:TaxExemptionReason",
        breakdown_category=TaxPaths("cac:TaxCategory/cbc:ID", "cac:TaxCategory/cbc:Percent"),
        totals=_ubl_totals(),
        lines=f"cac:{line}",
        line=_ubl_line(quantity),
    )


def _ubl_party() -> PartyPaths:
    address = "cac:PostalAddress/"
    return PartyPaths(
        name="cac:PartyLegalEntity/cbc:RegistrationName",
        legal_id="cac:PartyLegalEntity/cbc:CompanyID",
        identifiers="cac:PartyIdentification/cbc:ID",
        vat_id="cac:PartyTaxScheme[normalize-space(cac:TaxScheme/cbc:ID)='VAT']/cbc:CompanyID",
        endpoint="cbc:EndpointID",
        country=f"{address}cac:Country/cbc:IdentificationCode",
        street=f"{address}cbc:StreetName",
        additional_street=f"{address}cbc:AdditionalStreetName",
        city=f"{address}cbc:CityName",
        postcode=f"{address}cbc:PostalZone",
        subdivision=f"{address}cbc:CountrySubentity",
    )


def _ubl_totals() -> TotalPaths:
    totals = "cac:LegalMonetaryTotal/cbc:"
    return TotalPaths(
        lines_net=f"{totals}LineExtensionAmount",
        allowances=f"{totals}AllowanceTotalAmount",
        charges=f"{totals}ChargeTotalAmount",
        tax_exclusive=f"{totals}TaxExclusiveAmount",
        tax="cac:TaxTotal/cbc:TaxAmount",
        tax_inclusive=f"{totals}TaxInclusiveAmount",
        prepaid=f"{totals}PrepaidAmount",
        rounding=f"{totals}PayableRoundingAmount",
        payable=f"{totals}PayableAmount",
    )


def _ubl_line(quantity: str) -> LinePaths:
    return LinePaths(
        id="cbc:ID",
        name="cac:Item/cbc:Name",
        description="cac:Item/cbc:Description",
        quantity=f"cbc:{quantity}",
        price="cac:Price/cbc:PriceAmount",
        net="cbc:LineExtensionAmount",
        classes="cac:Item/cac:CommodityClassification/cbc:ItemClassificationCode",
        tax=TaxPaths(
            "cac:Item/cac:ClassifiedTaxCategory/cbc:ID",
            "cac:Item/cac:ClassifiedTaxCategory/cbc:Percent",
        ),
    )


def _cii() -> Paths:
    trade = "rsm:SupplyChainTradeTransaction/"
    agreement = f"{trade}ram:ApplicableHeaderTradeAgreement/"
    settlement = f"{trade}ram:ApplicableHeaderTradeSettlement/"
    return Paths(
        number="rsm:ExchangedDocument/ram:ID",
        issue_date="rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString",
        due_dates=(
            f"{settlement}ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime/udt:DateTimeString",
        ),
        type_code="rsm:ExchangedDocument/ram:TypeCode",
        currency=f"{settlement}ram:InvoiceCurrencyCode",
        tax_currency=f"{settlement}ram:TaxCurrencyCode",
        order_reference=f"{agreement}ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID",
        preceding=f"{settlement}ram:InvoiceReferencedDocument",
        preceding_number="ram:IssuerAssignedID",
        preceding_date="ram:FormattedIssueDateTime/qdt:DateTimeString",
        notes="rsm:ExchangedDocument/ram:IncludedNote/ram:Content",
        seller=f"{agreement}ram:SellerTradeParty",
        buyer=f"{agreement}ram:BuyerTradeParty",
        party=_cii_party(),
        payment_reference=f"{settlement}ram:PaymentReference",
        payment_terms=f"{settlement}ram:SpecifiedTradePaymentTerms/ram:Description",
        account=f"{settlement}ram:SpecifiedTradeSettlementPaymentMeans/"
        "ram:PayeePartyCreditorFinancialAccount/ram:IBANID",
        adjustments=f"{settlement}ram:SpecifiedTradeAllowanceCharge",
        adjustment_is_charge="ram:ChargeIndicator/udt:Indicator",
        adjustment_amount="ram:ActualAmount",
        adjustment_reason="ram:Reason",
        adjustment_tax=TaxPaths(
            "ram:CategoryTradeTax/ram:CategoryCode",
            "ram:CategoryTradeTax/ram:RateApplicablePercent",
        ),
        breakdown=f"{settlement}ram:ApplicableTradeTax",
        breakdown_taxable="ram:BasisAmount",
        breakdown_tax="ram:CalculatedAmount",
        breakdown_reason="ram:ExemptionReason",
        breakdown_category=TaxPaths("ram:CategoryCode", "ram:RateApplicablePercent"),
        totals=_cii_totals(settlement),
        lines=f"{trade}ram:IncludedSupplyChainTradeLineItem",
        line=_cii_line(),
    )


def _cii_party() -> PartyPaths:
    address = "ram:PostalTradeAddress/ram:"
    return PartyPaths(
        name="ram:Name",
        legal_id="ram:SpecifiedLegalOrganization/ram:ID",
        identifiers="ram:GlobalID",
        vat_id="ram:SpecifiedTaxRegistration/ram:ID[@schemeID='VA']",
        endpoint="ram:URIUniversalCommunication/ram:URIID",
        country=f"{address}CountryID",
        street=f"{address}LineOne",
        additional_street=f"{address}LineTwo",
        city=f"{address}CityName",
        postcode=f"{address}PostcodeCode",
        subdivision=f"{address}CountrySubDivisionName",
    )


def _cii_totals(settlement: str) -> TotalPaths:
    totals = f"{settlement}ram:SpecifiedTradeSettlementHeaderMonetarySummation/ram:"
    return TotalPaths(
        lines_net=f"{totals}LineTotalAmount",
        allowances=f"{totals}AllowanceTotalAmount",
        charges=f"{totals}ChargeTotalAmount",
        tax_exclusive=f"{totals}TaxBasisTotalAmount",
        tax=f"{totals}TaxTotalAmount",
        tax_inclusive=f"{totals}GrandTotalAmount",
        prepaid=f"{totals}TotalPrepaidAmount",
        rounding=f"{totals}RoundingAmount",
        payable=f"{totals}DuePayableAmount",
    )


def _cii_line() -> LinePaths:
    line = "ram:SpecifiedLineTradeSettlement/"
    return LinePaths(
        id="ram:AssociatedDocumentLineDocument/ram:LineID",
        name="ram:SpecifiedTradeProduct/ram:Name",
        description="ram:SpecifiedTradeProduct/ram:Description",
        quantity="ram:SpecifiedLineTradeDelivery/ram:BilledQuantity",
        price="ram:SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice/ram:ChargeAmount",
        net=f"{line}ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount",
        classes="ram:SpecifiedTradeProduct/ram:DesignatedProductClassification/ram:ClassCode",
        tax=TaxPaths(
            f"{line}ram:ApplicableTradeTax/ram:CategoryCode",
            f"{line}ram:ApplicableTradeTax/ram:RateApplicablePercent",
        ),
    )


UBL_INVOICE_PATHS = _ubl("Invoice", "InvoiceLine", "InvoicedQuantity", ("cbc:DueDate",))
UBL_CREDIT_NOTE_PATHS = _ubl(
    "CreditNote",
    "CreditNoteLine",
    "CreditedQuantity",
    ("cac:PaymentMeans/cbc:PaymentDueDate",),
)
CII_PATHS = _cii()
