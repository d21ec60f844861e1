"""OFAC's files in CSV: SDN (12 columns), ALT (5), ADD (6) and SDN_COMMENTS (2), in any order.

Source: OFAC, "SDN data specification": fields without names, `-0-` for empty. What a remark has
behind its thousandth character stands in SDN_COMMENTS: the rest of a word, of a wallet.
"""

from __future__ import annotations

import re

from settlement.compliance.list_files.countries import country_code
from settlement.compliance.list_files.days import day_of
from settlement.compliance.list_files.record import FileFault, Link, Party, whole
from settlement.compliance.list_files.tables import rows

SDN_COLUMNS, ALT_COLUMNS, ADD_COLUMNS, COMMENT_COLUMNS = 12, 5, 6, 2
_KINDS = {"individual": "person", "vessel": "vessel", "aircraft": "aircraft", "": "organization"}
_EMPTY = "-0-"
_FILES = "SDN.CSV, ALT.CSV, ADD.CSV and SDN_COMMENTS.CSV"
_WEAK = re.compile(r"(?:a|f|n)\.k\.a\. '([^']+)'")
_BORN = re.compile(r"(?:alt\. )?DOB ([^;]+)")
_NATIONALITY = re.compile(r"(?:nationality|citizen|Nationality of Registration) ([^;.]+)")
_NUMBER = re.compile(
    r"(?:alt\. )?(?P<kind>Passport|(?:National|Foreign|Personal) ID (?:No\.|Card)|Tax ID No\."
    r"|Registration ID|(?:Public |Business )?Registration (?:Number|Document #)|D-U-N-S Number"
    r"|Cedula No\.|NIT #|C\.U\.R\.P\.(?: #)?|R\.F\.C\.(?: #)?|RFC|RUC #|RIF #|RTN|C\.U\.I\.T\."
    r"|C\.I\.F\.|SSN|US FEIN|V\.A\.T\. Number|Legal Entity Number|C\.R\. No\.|BIK \(RU\)"
    r"|Unified Social Credit Code \(USCC\)|(?:UK )?Company Number|Enterprise Number"
    r"|Business Number|(?:Commercial|Economic) Registry Number|Chamber of Commerce Number"
    r"|Trade License No\.|(?:Italian )?Fiscal Code|Matricula Mercantil No\.?|Identification Number"
    r"|Folio Mercantil No\.|Certificate of Incorporation Number)"
    r" (?P<number>[^;()]*?[0-9][^;()]*?)\.?\s*(?: \(| issued | expires |$)"
)
_KINDS_OF_NUMBERS = {"legal entity number": "lei"}
_LINKED = re.compile(r"Linked To: ([^.;]+)")


def read_ofac(text: str) -> list[Party]:
    """Return the parties with all their names and addresses.

    Raises:
        FileFault: a row is of none of the three files, or speaks of an entry that is not there.
    """
    parties: dict[str, Party] = {}
    remarks: dict[str, str] = {}
    later: list[tuple[int, list[str]]] = []
    for line, raw in rows(text.replace("\x1a", "")):
        cells = [_plain(cell) for cell in raw]
        if len(cells) == SDN_COLUMNS and cells[0].isdigit():
            if cells[0] in parties:
                raise FileFault(f"entry {cells[0]} stands there twice", line=line)
            parties[cells[0]] = _party(cells)
            remarks[cells[0]] = raw[-1] if cells[-1] else ""
        elif len(cells) in (ALT_COLUMNS, ADD_COLUMNS) and cells[0].isdigit() and cells[1].isdigit():
            later.append((line, cells))
        elif len(cells) == COMMENT_COLUMNS and cells[0].isdigit():
            later.append((line, [cells[0], raw[1]]))
        else:
            raise FileFault(
                f"a row of {len(cells)} columns is none of SDN (12), ALT (5), ADD (6) or"
                " SDN_COMMENTS (2)",
                line=line,
                repair=f"give {_FILES} of one day, whole",
            )
    for line, cells in later:
        party = parties.get(cells[0])
        if party is None:
            raise FileFault(
                f"it speaks of entry {cells[0]}, which SDN does not hold",
                line=line,
                repair=f"give {_FILES} of one day",
            )
        if len(cells) == COMMENT_COLUMNS:
            remarks[cells[0]] += cells[1]
        elif len(cells) == ALT_COLUMNS:
            weak = "weak" in cells[4].lower()
            party.called(cells[3], "weak" if weak else "strong")
        else:
            _located(party, cells)
    for key, party in parties.items():
        _remarked(party, _plain(remarks[key]))
    return whole(parties.values())


def _party(cells: list[str]) -> Party:
    kind = cells[2].lower()
    party = Party(cells[0], _KINDS.get(kind, "unknown"))
    party.called(cells[1], "main")
    party.programs.update(dict.fromkeys(re.findall(r"[\w-]+", cells[3])))
    for value in (cells[5], *cells[6:11]):
        party.remarked(value)
    return party


def _remarked(party: Party, remarks: str) -> None:
    for name in _WEAK.findall(remarks):
        party.called(name, "weak")
    for born in _BORN.findall(remarks):
        party.born(day_of(born))
    for country in _NATIONALITY.findall(remarks):
        if code := country_code(country):
            party.countries[code] = None
    for said in remarks.split(";"):
        if found := _NUMBER.match(said.strip()):
            kind = found["kind"].strip(" .#").lower()
            party.identified(_KINDS_OF_NUMBERS.get(kind, kind), found["number"])
    for other in _LINKED.findall(remarks):
        party.links[Link("linked_to", " ".join(other.split()))] = None
    party.remarked(remarks)


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
