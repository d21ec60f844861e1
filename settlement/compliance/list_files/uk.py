"""The United Kingdom's lists: OFSI's consolidated list and the UK Sanctions List, CSV and XML.

Source: OFSI, "Consolidated list of financial sanctions targets", format 2022; FCDO, "UK Sanctions
List". In both a party has a row, or an element, for each of its names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from settlement.compliance.list_files.countries import country_code
from settlement.compliance.list_files.days import day_of
from settlement.compliance.list_files.record import FileFault, Link, Party, whole
from settlement.compliance.list_files.tables import named_rows
from settlement.compliance.list_files.trees import Node, pieces

XML_ROOTS = ("ArrayOfFinancialSanctionsTarget", "Designations")
CSV_COLUMNS = ("Name 6", "Name 1", "Name 2")
_KINDS = {"individual": "person", "entity": "organization", "ship": "vessel"}
_GIVEN = tuple(f"Name {number}" for number in range(1, 6))
_KEYS = ("Group ID", "GroupID", "Unique ID", "UniqueID", "OFSI Group ID")
_KIND_COLUMNS = ("Group Type", "GroupTypeDescription", "Designation Type", "IndividualEntityShip")
_ALIASES = ("Alias Type", "AliasType", "Name type", "NameType")
_QUALITIES = ("Alias Quality", "AliasQuality", "Alias strength", "AliasStrength")
_REGISTERED = re.compile(r"\(Business Reg No\)\s*:\s*(?P<number>[A-Z0-9][A-Z0-9./-]*)")
_EACH = "|"
"""Between the values of a cell where an element has several."""
_ELEMENTS = {"name1": "Name 1", "name2": "Name 2", "name3": "Name 3", "name4": "Name 4",
             "name5": "Name 5", "Name6": "Name 6", "name6": "Name 6", "Name1": "Name 1",
             "Name2": "Name 2", "Name3": "Name 3", "Name4": "Name 4", "Name5": "Name 5",
             "Individual_DateOfBirth": "DOB", "Individual_Nationality": "Nationality",
             "NameNonLatinScript": "Name Non-Latin Script", "PostCode": "Post/Zip Code",
             "Individual_PassportNumber": "Passport Number", "RegimeName": "Regime",
             "Individual_NINumber": "National Identification Number",
             "Ship_IMONumber": "IMO number", "Ship_CurrentOwners": "Current owner/operator (s)",
             "Entity_BusinessRegNumber": "Business registration number (s)",
             "Entity_ParentCompany": "Parent company", "OtherInformation": "Other Information",
             **{f"Address{n}": f"Address {n}" for n in range(1, 7)}}  # fmt: skip


def read_uk_csv(text: str) -> list[Party]:
    """Return the parties. Raises FileFault where a row breaks off or names no group."""
    return _gathered(named_rows(text, delimiter=",", needed=CSV_COLUMNS))


def read_uk_xml(content: bytes) -> list[Party]:
    """Return the parties. Raises FileFault where it is not whole."""
    return _gathered(_elements(content))


def _gathered(rows: Iterator[tuple[int | None, Mapping[str, str]]]) -> list[Party]:
    parties: dict[str, Party] = {}
    for line, row in rows:
        key = _first(row, _KEYS)
        if not key:
            raise FileFault("it names no group", line=line)
        kind = _KINDS.get(_first(row, _KIND_COLUMNS).lower(), "unknown")
        party = parties.setdefault(key, Party(key, kind))
        _named(party, row)
        _described(party, row)
    return whole(parties.values())


def _named(party: Party, row: Mapping[str, str]) -> None:
    given = [row.get(column, "") for column in _GIVEN]
    name = " ".join(word for word in (*given, row.get("Name 6", "")) if word and word != "0")
    main = _first(row, _ALIASES).lower() in ("primary name", "")
    weak = "low" in _first(row, _QUALITIES).lower() or _first(row, _QUALITIES).lower() == "weak"
    party.called(name, "main" if main else "weak" if weak else "strong")
    party.called(_first(row, ("Name Non-Latin Script", "Name non-latin script")), "strong")


def _described(party: Party, row: Mapping[str, str]) -> None:
    if regime := _first(row, ("Regime", "Regime Name")):
        party.programs[regime] = None
    for born in _first(row, ("DOB", "D.O.B")).split(_EACH):
        party.born(day_of(born))
    for words in _first(row, ("Nationality", "Nationality(/ies)")).split(_EACH):
        if code := country_code(words):
            party.countries[code] = None
    country = _first(row, ("Country", "Address Country"))
    code = country_code(country)
    lines = [row.get(f"Address {n}", "") or row.get(f"Address Line {n}", "") for n in range(1, 7)]
    lines += [_first(row, ("Post/Zip Code", "Address Postal Code")), country]
    if words := ", ".join(line for line in lines if line):
        party.addresses[words, code] = None
    if code:
        party.countries[code] = None
    for kind, columns in (
        ("passport", ("Passport Number", "Passport number")),
        ("national id", ("National Identification Number", "National Identifier number")),
        ("registration", ("Business registration number (s)",)),
        ("imo", ("IMO number",)),
    ):
        for number in _first(row, columns).split(_EACH):
            party.identified(kind, number)
    for column in ("Current owner/operator (s)", "Parent company"):
        for owner in filter(None, row.get(column, "").split(_EACH)):
            party.links[Link("owned_by", owner)] = None
    other = _first(row, ("Other Information",))
    if other and other not in party.remarks:
        party.remarked(other)
        for found in _REGISTERED.finditer(other):
            party.identified("registration", found["number"].rstrip("."))


def _elements(content: bytes) -> Iterator[tuple[int | None, Mapping[str, str]]]:
    for node in pieces(content, ("FinancialSanctionsTarget", "Designation")):
        row = {_ELEMENTS.get(child.name, child.name): child.text() for child in _children(node)}
        if node.name == "FinancialSanctionsTarget":
            yield node.line, row
            continue
        row.update(_designated(node))
        for name in node.all("Names", "Name"):
            parts = {_ELEMENTS.get(each.name, each.name): each.text() for each in _children(name)}
            yield node.line, {**row, **parts}
        for script in node.texts("NonLatinNames", "NonLatinName", "NameNonLatinScript"):
            yield node.line, {**row, "Name Non-Latin Script": script, "NameType": "Alias"}
        for address in node.all("Addresses", "Address"):
            yield node.line, {**row, **_address(address)}


def _designated(node: Node) -> dict[str, str]:
    """Return what a designation says of itself, each cell with all values that it has."""
    person, company = ("IndividualDetails", "Individual"), ("EntityDetails", "Entity")
    ship = ("ShipDetails", "Ship")
    paths = {
        "DOB": (*person, "DOBs", "DOB"),
        "Nationality": (*person, "Nationalities", "Nationality"),
        "Passport Number": (*person, "PassportDetails", "Passport", "PassportNumber"),
        "National Identification Number": (
            *person, "NationalIdentifierDetails", "NationalIdentifier", "NationalIdentifierNumber",
        ),
        "Business registration number (s)": (
            *company, "BusinessRegistrationNumbers", "BusinessRegistrationNumber",
        ),
        "Parent company": (*company, "ParentCompanies", "ParentCompany"),
        "IMO number": (*ship, "IMONumbers", "IMONumber"),
        "Current owner/operator (s)": (*ship, "CurrentOwnerOperators", "CurrentOwnerOperator"),
    }  # fmt: skip
    return {column: _EACH.join(node.texts(*path)) for column, path in paths.items()}


def _address(address: Node) -> dict[str, str]:
    row = {f"Address {n}": address.text(f"AddressLine{n}") for n in range(1, 7)}
    row["Country"] = address.text("AddressCountry")
    return row | {"Post/Zip Code": address.text("AddressPostalCode")}


def _children(node: Node) -> list[Node]:
    return [Node(child) for child in node.element if isinstance(child.tag, str)]


def _first(row: Mapping[str, str], columns: tuple[str, ...]) -> str:
    return next((row[column] for column in columns if row.get(column)), "")
