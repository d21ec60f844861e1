"""OFAC's SDN.XML (the plain form, root `sdnList`).

Source: OFAC, sdn.xsd.
"""

from __future__ import annotations

import re

from settlement.compliance.list_files.countries import country_code
from settlement.compliance.list_files.days import day_of
from settlement.compliance.list_files.record import FileFault, Link, Party, whole
from settlement.compliance.list_files.trees import Node, pieces

ROOT = "sdnList"
_KINDS = {
    "individual": "person", "entity": "organization", "vessel": "vessel", "aircraft": "aircraft",
}  # fmt: skip
_WALLET = "digital currency address"


def read_sdn_xml(content: bytes) -> list[Party]:
    """Return the parties; a count that the file gives of itself has to be right.

    Raises:
        FileFault: it is not whole.
    """
    parties: dict[str, Party] = {}
    said: int | None = None
    for node in pieces(content, ("sdnEntry", "publshInformation")):
        if node.name == "publshInformation":
            count = node.text("Record_Count")
            said = int(count) if re.fullmatch("[0-9]{1,9}", count) else None
            continue
        party = _party(node)
        if not party.key or party.key in parties:
            raise FileFault(
                f"entry {party.key or 'without uid'} stands there twice", line=node.line
            )
        parties[party.key] = party
    if said is not None and said != len(parties):
        raise FileFault(
            f"it says that it holds {said} entries, and holds {len(parties)}",
            repair="download the file again: a part of it is missing",
        )
    return whole(parties.values())


def _party(node: Node) -> Party:
    party = Party(node.text("uid"), _KINDS.get(node.text("sdnType").lower(), "unknown"))
    party.called(_name(node), "main")
    for aka in node.all("akaList", "aka"):
        weak = aka.text("category").lower() == "weak"
        party.called(_name(aka), "weak" if weak else "strong")
    party.programs.update(dict.fromkeys(node.texts("programList", "program")))
    for number in node.all("idList", "id"):
        kind = number.text("idType").lower().rstrip(".")
        if kind.startswith(_WALLET):
            kind = "wallet"
        kind = {"swift/bic": "bic", "legal entity number": "lei"}.get(kind, kind)
        value = number.text("idNumber")
        if kind == "vessel registration identification":
            party.remarked(value)
        elif kind != "gender":
            party.identified(kind, value)
    for address in node.all("addressList", "address"):
        code = country_code(address.text("country"))
        words = [
            address.text(part)
            for part in ("address1", "address2", "address3", "city", "stateOrProvince",
                         "postalCode", "country")
        ]  # fmt: skip
        if any(words):
            party.addresses[", ".join(word for word in words if word), code] = None
        if code:
            party.countries[code] = None
    for path in (("nationalityList", "nationality"), ("citizenshipList", "citizenship")):
        for each in node.all(*path):
            if code := country_code(each.text("country")):
                party.countries[code] = None
    for born in node.texts("dateOfBirthList", "dateOfBirthItem", "dateOfBirth"):
        party.born(day_of(born))
    for other in node.text("remarks").split("Linked To: ")[1:]:
        party.links[Link("linked_to", other.split(";")[0].strip().rstrip("."))] = None
    party.remarked(node.text("remarks"))
    return party


def _name(node: Node) -> str:
    last, first = node.text("lastName"), node.text("firstName")
    return f"{last}, {first}" if first else last
