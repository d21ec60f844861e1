"""The United Kingdom's lists: OFSI's consolidated list and the UK Sanctions List, CSV and XML.

Source: OFSI, "Consolidated list of financial sanctions targets", format 2022; FCDO, "UK Sanctions
List". In both a party has a row, or an element, for each of its names.
"""

from __future__ import annotations

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
    party.born(day_of(_first(row, ("DOB", "D.O.B"))))
    for words in _first(row, ("Nationality", "Nationality(/ies)")).split("|"):
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
        party.identified(kind, _first(row, columns))
    if owner := _first(row, ("Current owner/operator (s)",)):
        party.links[Link("owned_by", owner)] = None
    if parent := _first(row, ("Parent company",)):
        party.links[Link("owned_by", parent)] = None
    other = _first(row, ("Other Information",))
    if other and other not in party.remarks:
        party.remarked(other)


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


def _designated(node: Node) -> dict[str, str]:
    born = node.texts("IndividualDetails", "Individual", "DOBs", "DOB")
    nations = node.texts("IndividualDetails", "Individual", "Nationalities", "Nationality")
    ship = ("ShipDetails", "Ship")
    owners = node.texts(*ship, "CurrentOwnerOperators", "CurrentOwnerOperator")
    imo = node.texts(*ship, "IMONumbers", "IMONumber")
    row = {
        "DOB": (born or [""])[0],
        "Nationality": "|".join(nations),
        "IMO number": (imo or [""])[0],
    }
    row["Current owner/operator (s)"] = (owners or [""])[0]
    for address in list(node.all("Addresses", "Address"))[:1]:
        for n in range(1, 7):
            row[f"Address {n}"] = address.text(f"AddressLine{n}")
        row["Country"] = address.text("AddressCountry")
    return row


def _children(node: Node) -> list[Node]:
    return [Node(child) for child in node.element if isinstance(child.tag, str)]


def _first(row: Mapping[str, str], columns: tuple[str, ...]) -> str:
    return next((row[column] for column in columns if row.get(column)), "")
