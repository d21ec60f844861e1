"""OFAC's files in CSV: SDN (12 columns), ALT (5) and ADD (6), together as one text in any order.

Source: OFAC, "SDN data specification": fields without names, `-0-` for empty.
"""

from __future__ import annotations

import re

from settlement.compliance.list_files.countries import country_code
from settlement.compliance.list_files.days import day_of
from settlement.compliance.list_files.record import FileFault, Link, Party, whole
from settlement.compliance.list_files.tables import rows

SDN_COLUMNS, ALT_COLUMNS, ADD_COLUMNS = 12, 5, 6
_KINDS = {"individual": "person", "vessel": "vessel", "aircraft": "aircraft", "": "organization"}
_EMPTY = "-0-"
_WEAK = re.compile(r"(?:a|f|n)\.k\.a\. '([^']+)'")
_BORN = re.compile(r"(?:alt\. )?DOB ([^;]+)")
_NATIONALITY = re.compile(r"(?:nationality|citizen|Nationality of Registration) ([^;.]+)")
_NUMBER = re.compile(
    r"(?:alt\. )?(Passport|National ID No\.|Tax ID No\.|Registration ID|Registration Number"
    r"|Business Registration Number|D-U-N-S Number|Cedula No\.|NIT #|C\.U\.R\.P\.|R\.F\.C\.|SSN)"
    r" ([A-Z0-9./\-]+)"
)
_LINKED = re.compile(r"Linked To: ([^.;]+)")


def read_ofac(text: str) -> list[Party]:
    """Return the parties with all their names and addresses.

    Raises:
        FileFault: a row is of none of the three files, or speaks of an entry that is not there.
    """
    parties: dict[str, Party] = {}
    later: list[tuple[int, list[str]]] = []
    for line, raw in rows(text.replace("\x1a", "")):
        cells = [_plain(cell) for cell in raw]
        if len(cells) == SDN_COLUMNS and cells[0].isdigit():
            if cells[0] in parties:
                raise FileFault(f"entry {cells[0]} stands there twice", line=line)
            parties[cells[0]] = _party(cells)
        elif len(cells) in (ALT_COLUMNS, ADD_COLUMNS) and cells[0].isdigit() and cells[1].isdigit():
            later.append((line, cells))
        else:
            raise FileFault(
                f"a row of {len(cells)} columns is none of SDN (12), ALT (5) or ADD (6)",
                line=line,
                repair="give SDN.CSV, ALT.CSV and ADD.CSV of one day, whole",
            )
    for line, cells in later:
        party = parties.get(cells[0])
        if party is None:
            raise FileFault(
                f"it speaks of entry {cells[0]}, which SDN does not hold",
                line=line,
                repair="give SDN.CSV, ALT.CSV and ADD.CSV of one day",
            )
        if len(cells) == ALT_COLUMNS:
            weak = "weak" in cells[4].lower()
            party.called(cells[3], "weak" if weak else "strong")
        else:
            _located(party, cells)
    return whole(parties.values())


def _party(cells: list[str]) -> Party:
    kind = cells[2].lower()
    party = Party(cells[0], _KINDS.get(kind, "unknown"))
    party.called(cells[1], "main")
    party.programs.update(dict.fromkeys(re.findall(r"[\w-]+", cells[3])))
    remarks = cells[11]
    for name in _WEAK.findall(remarks):
        party.called(name, "weak")
    for born in _BORN.findall(remarks):
        party.born(day_of(born))
    for country in _NATIONALITY.findall(remarks):
        if code := country_code(country):
            party.countries[code] = None
    for words, number in _NUMBER.findall(remarks):
        party.identified(words.strip(" .#").lower(), number)
    for other in _LINKED.findall(remarks):
        party.links[Link("linked_to", " ".join(other.split()))] = None
    for value in (cells[5], *cells[6:11]):
        party.remarked(value)
    party.remarked(remarks)
    return party


def _located(party: Party, cells: list[str]) -> None:
    code = country_code(cells[4])
    if code:
        party.countries[code] = None
    address = ", ".join(cell for cell in cells[2:5] if cell)
    if address:
        party.addresses[address, code] = None


def _plain(cell: str) -> str:
    text = cell.strip()
    return "" if text == _EMPTY else text
