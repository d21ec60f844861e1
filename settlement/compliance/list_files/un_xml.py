"""The consolidated list of the United Nations Security Council, in XML.

Source: sc-sanctions.xsd.
"""

from __future__ import annotations

from settlement.compliance.list_files.countries import country_code
from settlement.compliance.list_files.record import FileFault, Party, whole
from settlement.compliance.list_files.trees import Node, pieces

ROOT = "CONSOLIDATED_LIST"
_NAMES = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")
_WEAK = "low"


def read_un_xml(content: bytes) -> list[Party]:
    """Return individuals and entities.

    Raises:
        FileFault: it is not whole.
    """
    parties: dict[str, Party] = {}
    for node in pieces(content, ("INDIVIDUAL", "ENTITY")):
        party = _party(node)
        if not party.key or party.key in parties:
            raise FileFault(f"entry {party.key or 'without DATAID'} is there twice", line=node.line)
        parties[party.key] = party
    return whole(parties.values())


def _party(node: Node) -> Party:
    person = node.name == "INDIVIDUAL"
    party = Party(node.text("DATAID"), "person" if person else "organization")
    party.called(" ".join(filter(None, (node.text(name) for name in _NAMES))), "main")
    party.called(node.text("NAME_ORIGINAL_SCRIPT"), "strong")
    for alias in node.all(f"{node.name}_ALIAS"):
        weak = alias.text("QUALITY").lower() == _WEAK
        for name in alias.text("ALIAS_NAME").split(";"):
            party.called(name, "weak" if weak else "strong")
        party.called(alias.text("ALIAS_NAME_ORIGINAL_SCRIPT"), "strong")
    party.programs.update(dict.fromkeys(node.texts("UN_LIST_TYPE")))
    for value in node.texts("NATIONALITY", "VALUE"):
        if code := country_code(value):
            party.countries[code] = None
    for address in node.all(f"{node.name}_ADDRESS"):
        code = country_code(address.text("COUNTRY"))
        parts = ("STREET", "CITY", "STATE_PROVINCE", "ZIP_CODE", "COUNTRY")
        words = ", ".join(filter(None, (address.text(part) for part in parts)))
        if words:
            party.addresses[words, code] = None
        if code:
            party.countries[code] = None
    for born in node.all("INDIVIDUAL_DATE_OF_BIRTH"):
        for part in ("DATE", "YEAR", "NOTE"):
            party.born(born.text(part))
        party.born(f"{born.text('FROM_YEAR')} to {born.text('TO_YEAR')}")
    for document in node.all("INDIVIDUAL_DOCUMENT"):
        kind = document.text("TYPE_OF_DOCUMENT").lower() or "document"
        party.identified(kind, document.text("NUMBER"))
    party.remarked(node.text("COMMENTS1"))
    return party
