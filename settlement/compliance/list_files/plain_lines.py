"""Plain text: a name or an address a line. For lists of one's own."""

from __future__ import annotations

import re

from settlement.compliance.list_files.record import Party, whole
from settlement.compliance.policy.names import fold

_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}(?![0-9a-fA-F])")


def read_plain(text: str) -> list[Party]:
    """Return one party a line. Raises as `whole`."""
    parties: dict[str, Party] = {}
    for line in text.splitlines():
        addresses = _ADDRESS.findall(line)
        for address in addresses:
            party = parties.setdefault(address.lower(), Party(address.lower()))
            party.identified("wallet", address)
        if not addresses and (key := fold(line)):
            parties.setdefault(key, Party(key)).called(line.strip().strip('"'), "main")
    return whole(parties.values())
