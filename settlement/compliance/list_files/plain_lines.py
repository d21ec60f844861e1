"""Plain text: a name or an address a line. For lists of one's own."""

from __future__ import annotations

import re

from settlement.compliance.list_files.record import FileFault, Party, whole
from settlement.compliance.policy.names import fold

_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}(?![0-9a-fA-F])")
_CLOSE_COMMA = re.compile(r",(?=\S)")
_SHOWN = 80


def read_plain(text: str) -> list[Party]:
    """Return one party a line.

    Raises:
        FileFault: a line is a row of a table or of a page; or as `whole`.
    """
    parties: dict[str, Party] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if _is_of_a_table(line):
            raise FileFault(
                f"{line.strip()[:_SHOWN]!r} is a row of a table or of a page, and no name",
                line=number,
                repair="give a publisher's file as it was downloaded, or a name or an address a"
                " line and nothing else",
            )
        addresses = _ADDRESS.findall(line)
        for address in addresses:
            party = parties.setdefault(address.lower(), Party(address.lower()))
            party.identified("wallet", address)
        if not addresses and (key := fold(line)):
            parties.setdefault(key, Party(key)).called(line.strip().strip('"'), "main")
    return whole(parties.values())


def _is_of_a_table(line: str) -> bool:
    """Say whether a line has signs that no name has, or more of them; a remark is left out."""
    said = line.partition("#")[0].strip()
    return (
        "\t" in said
        or "<" in said
        or said.count(',"') + said.count('",') > 1
        or said.count(";") > 2
        or said.count("|") > 1
        or len(_CLOSE_COMMA.findall(said)) > 2
    )
