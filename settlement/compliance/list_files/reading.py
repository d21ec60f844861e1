"""Any list file: what it is, and the parties in it. Whole or not at all.

Finds the format by the content, never by a name.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from dataclasses import dataclass

from settlement.compliance.list_files import eu, ofac_csv, ofac_xml, open_sanctions, uk, un_xml
from settlement.compliance.list_files.plain_lines import read_plain
from settlement.compliance.list_files.record import FileFault, ListUnreadable, Party
from settlement.compliance.list_files.trees import root_name

SIZE_MAX = 256 * 1024 * 1024
PARTIES_MAX = 500_000

_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"%PDF", b"\x50\x4b", b"{\\rtf", b"\xd0\xcf\x11\xe0")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x19\x1b-\x1f]")
_BEFORE = re.compile(rb"(?:\xef\xbb\xbf|\s)*")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class ListFile:
    """What a file turned out to be."""

    format: str
    parties: list[Party]

    @property
    def stats(self) -> dict[str, int]:
        """How much of what was read."""
        kinds = Counter(kind for each in self.parties for kind in each.names.values())
        return {
            "parties": len(self.parties),
            "names": kinds.total(),
            "strong_names": kinds["strong"],
            "weak_names": kinds["weak"],
            "addresses": sum(len(each.addresses) for each in self.parties),
            "identifiers": sum(len(each.identifiers) for each in self.parties),
            "wallets": sum(
                kind == "wallet" for each in self.parties for kind, _ in each.identifiers
            ),
            "links": sum(len(each.links) for each in self.parties),
        }


def read_list(name: str, content: bytes) -> ListFile:
    """Return what a file holds.

    Raises:
        ListUnreadable: it is in no form that is read, or not whole; says the line and what to do.
    """
    try:
        found = _read(content)
        if len(found.parties) > PARTIES_MAX:
            raise FileFault(f"it holds more than {PARTIES_MAX} parties")
    except FileFault as fault:
        raise ListUnreadable(name, fault.fault, fault.repair, fault.line) from fault
    return found


def _read(content: bytes) -> ListFile:
    if len(content) > SIZE_MAX:
        raise FileFault(f"it is larger than {SIZE_MAX // 2**20} MiB")
    content = content.rstrip(b"\x1a\r\n\0 ")  # OFAC's files end with a control character.
    if content.startswith(_UTF16):
        raise FileFault("it is in UTF-16", repair="save it as UTF-8")
    if content.lstrip()[:8].startswith(_ARCHIVES):
        raise FileFault("it is an archive or another kind of file", repair="unpack it first")
    if found := _CONTROL.search(content):
        line = content.count(b"\n", 0, found.start()) + 1
        raise FileFault("it holds control characters", line=line)
    # A byte order mark and empty lines before a form hide it from nobody; lines keep their numbers.
    content = _BEFORE.sub(lambda found: b"\n" * found[0].count(b"\n"), content, count=1)
    if content.lstrip().startswith(b"<"):
        return _read_xml(content.lstrip())
    return _read_text(content)


def _read_xml(content: bytes) -> ListFile:
    root = root_name(content)
    if root == ofac_xml.ROOT:
        return ListFile("ofac-sdn-xml", ofac_xml.read_sdn_xml(content))
    if root == un_xml.ROOT:
        return ListFile("un-xml", un_xml.read_un_xml(content))
    if root == eu.ROOT:
        return ListFile("eu-xml", eu.read_eu_xml(content))
    if root in uk.XML_ROOTS:
        return ListFile("uk-xml", uk.read_uk_xml(content))
    raise FileFault(
        f"its first element is {root[:60]!r}, that of no list",
        repair="give sdn.xml, the UN's or the UK's consolidated list or the EU's full list 1.1",
    )


def _read_text(content: bytes) -> ListFile:
    if content.lstrip()[:1] in (b"{", b"["):
        text = _decoded(content)
        return ListFile("opensanctions-ftm", open_sanctions.read_ftm(text))
    head = content.lstrip()[:20_000].decode("utf-8", "replace")
    lines = [line for line in head.splitlines() if line.strip()][:5]
    first = _cells(lines[0] if lines else "", ",")
    columns = (ofac_csv.SDN_COLUMNS, ofac_csv.ALT_COLUMNS, ofac_csv.ADD_COLUMNS)
    is_comment = len(first) == ofac_csv.COMMENT_COLUMNS and lines[0].partition(',"')[1] != ""
    if (is_comment or len(first) in columns) and first[0].strip().isdigit():
        return ListFile("ofac-csv", ofac_csv.read_ofac(_decoded(content, "latin-1")))
    for line in lines:
        if set(eu.CSV_COLUMNS) <= set(_cells(line, ";")):
            return ListFile("eu-csv", eu.read_eu_csv(_decoded(content)))
        cells = set(_cells(line, ","))
        if set(uk.CSV_COLUMNS) <= cells:
            return ListFile("uk-csv", uk.read_uk_csv(_decoded(content)))
        if set(open_sanctions.CSV_COLUMNS) <= cells:
            return ListFile("opensanctions-csv", open_sanctions.read_targets(_decoded(content)))
    return ListFile("plain", read_plain(_decoded(content)))


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _decoded(content: bytes, older: str = "") -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if older:  # What the publisher used before.
            return content.decode(older)
        raise FileFault(
            "it is not UTF-8",
            line=content.count(b"\n", 0, error.start) + 1,
            repair="save it as UTF-8: in another encoding names would be read wrongly",
        ) from error
