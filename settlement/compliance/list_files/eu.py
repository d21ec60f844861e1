"""The European Union's consolidated list of financial sanctions, in XML and CSV (version 1.1).

Source: European Commission, FSF, "xmlFullSanctionsList_1_1" and "csvFullSanctionsList_1_1".
"""

from __future__ import annotations

from collections.abc import Mapping

from settlement.compliance.list_files.countries import country_code
from settlement.compliance.list_files.record import FileFault, Party, whole
from settlement.compliance.list_files.tables import named_rows
from settlement.compliance.list_files.trees import Node, pieces

ROOT = "export"
CSV_COLUMNS = ("Entity_LogicalId", "Entity_SubjectType", "NameAlias_WholeName")
_KINDS = {
    "person": "person", "p": "person", "enterprise": "organization", "e": "organization",
}  # fmt: skip


def read_eu_xml(content: bytes) -> list[Party]:
    """Return the parties. Raises FileFault where it is not whole."""
    parties: dict[str, Party] = {}
    for node in pieces(content, ("sanctionEntity",)):
        party = _party(node)
        if not party.key or party.key in parties:
            raise FileFault(f"entity {party.key or 'without id'} is there twice", line=node.line)
        parties[party.key] = party
    return whole(parties.values())


def _party(node: Node) -> Party:
    subject = next(node.all("subjectType"), None)
    code = subject.get("code").lower() if subject else ""
    party = Party(node.get("logicalId"), _KINDS.get(code, "unknown"))
    for alias in node.all("nameAlias"):
        parts = (alias.get(part) for part in ("firstName", "middleName", "lastName"))
        name = alias.get("wholeName") or " ".join(filter(None, parts))
        strong = alias.get("strong").lower() != "false"
        kind = ("strong" if party.names else "main") if strong else "weak"
        party.called(name, kind)
    for regulation in node.all("regulation"):
        party.programs.update({regulation.get("programme"): None} if regulation else {})
    for citizenship in node.all("citizenship"):
        _from(party, citizenship.get("countryIso2Code"), citizenship.get("countryDescription"))
    for address in node.all("address"):
        words = [address.get(part) for part in ("street", "poBox", "zipCode", "city", "region")]
        words.append(address.get("countryDescription"))
        _located(party, words, address.get("countryIso2Code"), words[-1])
    for born in node.all("birthdate"):
        party.born(
            born.get("birthdate")
            or born.get("year")
            or _between(born.get("yearRangeFrom"), born.get("yearRangeTo"))
        )
    for number in node.all("identification"):
        kind = number.get("identificationTypeCode") or "id"
        party.identified({"imo": "imo", "swiftbic": "bic"}.get(kind, kind), number.get("number"))
        party.remarked(number.get("latinNumber"))
    for remark in node.texts("remark"):
        party.remarked(remark)
    return party


def read_eu_csv(text: str) -> list[Party]:
    """Return the parties of a table with several rows for each. Raises FileFault as the XML."""
    parties: dict[str, Party] = {}
    for line, row in named_rows(text, delimiter=";", needed=CSV_COLUMNS):
        key = row["Entity_LogicalId"]
        if not key:
            raise FileFault("a row names no entity", line=line)
        kinds = (row["Entity_SubjectType"], row.get("Entity_SubjectType_ClassificationCode", ""))
        kind = next((_KINDS[each.lower()] for each in kinds if each.lower() in _KINDS), "unknown")
        _row(parties.setdefault(key, Party(key, kind)), row)
    return whole(parties.values())


def _row(party: Party, row: Mapping[str, str]) -> None:
    parts = (row.get(f"NameAlias_{part}Name", "") for part in ("First", "Middle", "Last"))
    name = row["NameAlias_WholeName"] or " ".join(filter(None, parts))
    party.called(name, "strong" if party.names else "main")
    if programme := row.get("Entity_Regulation_Programme", row.get("Entity_Programme", "")):
        party.programs[programme] = None
    _from(
        party,
        row.get("Citizenship_CountryIso2Code", ""),
        row.get("Citizenship_CountryDescription", ""),
    )
    words = [
        row.get(f"Address_{part}", "")
        for part in ("Street", "PoBox", "ZipCode", "City", "Region", "CountryDescription")
    ]
    _located(party, words, row.get("Address_CountryIso2Code", ""), words[-1])
    party.born(
        row.get("BirthDate_BirthDate", "")
        or row.get("BirthDate_Year", "")
        or _between(row.get("BirthDate_YearRangeFrom", ""), row.get("BirthDate_YearRangeTo", ""))
    )
    kind = row.get("Identification_TypeCode", "") or "id"
    kind = {"imo": "imo", "swiftbic": "bic"}.get(kind, kind)
    party.identified(kind, row.get("Identification_Number", ""))
    remark = row.get("Entity_Remark", "")
    if remark and remark not in party.remarks:
        party.remarked(remark)


def _between(first: str, last: str) -> str:
    """Return a span of years in words; a span that is open tells nothing."""
    return f"{first} to {last}" if first and last else ""


def _from(party: Party, code: str, words: str) -> None:
    if known := country_code(code) or country_code(words):
        party.countries[known] = None


def _located(party: Party, words: list[str], code: str, country: str) -> None:
    known = country_code(code) or country_code(country)
    if address := ", ".join(word for word in words if word):
        party.addresses[address, known] = None
    if known:
        party.countries[known] = None
