"""Reading back what `beancount` and `hledger` of this room have written: strictly, line by line.

Knows only our own dialect of the two formats, and refuses every line that it would not write. Holds
balances and the entries' numbers alone, however long the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from settlement.errors import Invalid
from settlement.ledger.accounts import unit_of
from settlement.ledger.exports import beancount_file, hledger_file
from settlement.ledger.exports.names import account_code, unit_of_name
from settlement.ledger.exports.writing import MARK
from settlement.ledger.journal import Head

_DAY = r"\d{4}-\d\d-\d\d"
_NAME = r"(?P<account>[A-Z][A-Za-z]+(?::[A-Z0-9][A-Za-z0-9-]*)+)"
_AMOUNT = r"(?P<amount>-?\d+(?:\.\d+)?)"
_UNIT = r"(?P<unit>[A-Z0-9]+)"

_BEANCOUNT = (
    ("fact", r'  (?P<fact>[a-z_]+): "?(?P<value>[^"]*)"?'),
    ("line", rf"  {_NAME}  {_AMOUNT} {_UNIT}"),
    ("balance", rf"{_DAY} balance {_NAME}  {_AMOUNT} ~ 0 {_UNIT}"),
    ("entry", rf'{_DAY} \* "[a-z_]+" ".*"'),
    ("commodity", rf"{_DAY} commodity {_UNIT}"),
    ("account", rf"{_DAY} open {_NAME} {_UNIT}"),
    ("nothing", r'option "title" "Settlement rail"|; closing balances|'),
)
_HLEDGER = (
    ("fact", r"    ; (?P<fact>[a-z_]+): (?P<value>.*)"),
    ("line", rf'    {_NAME}  {_AMOUNT} "{_UNIT}"(?: = (?P<balance>-?\d+(?:\.\d+)?) "(?P=unit)")?'),
    ("entry", rf"{_DAY} \* [a-z_ ]+"),
    ("commodity", rf'commodity (?P<sample>\d+\.\d*) "{_UNIT}"'),
    ("account", rf"account {_NAME}"),
    ("nothing", r"decimal-mark \.|"),
)
_DIALECTS = {beancount_file.DIALECT: _BEANCOUNT, hledger_file.DIALECT: _HLEDGER}
_HEADING = re.compile(
    rf"; {MARK} (?P<dialect>[a-z]+)\n; head (?P<seq>\d+) (?P<hash>[0-9a-f]{{64}})\n"
    rf"; first (?P<first>{_DAY})\n; last (?P<last>{_DAY})\n; .*\n\Z"
)
_END = re.compile(r"; end (?P<entries>\d+) (?P<assertions>\d+)\Z")


class FileNotSound(Invalid):
    """A line of an exported journal is none that we write, or what it says is not so."""

    def __init__(self, number: int, because: str) -> None:
        super().__init__(
            f"line {number}: {because}",
            field=f"line {number}",
            repair="export the journal again; an edited file is not read",
        )
        self.number = number


@dataclass(slots=True)
class ReadBack:
    """What a file says: every assertion in it holds, and every entry balances."""

    dialect: str
    head: Head
    first: str
    last: str
    entries: int = 0
    assertions: int = 0
    balances: dict[str, int] = field(default_factory=dict)
    """Minor units by account code, also of those that have nothing."""


def read_back(lines: Iterable[str]) -> ReadBack:
    """Read a whole file, given line by line, and check every balance in it.

    Raises:
        FileNotSound: with the first line that is wrong.
    """
    return _Reader().read(lines)


class _Reader:
    """Where the reading is: the entry that is open, and all that has been said before it."""

    def __init__(self) -> None:
        self._number = 0
        self._codes: dict[str, str] = {}
        self._decimals: dict[str, int] = {}
        self._unit = ""
        self._seqs: set[int] = set()
        self._sums: dict[str, int] = {}

    def read(self, lines: Iterable[str]) -> ReadBack:
        """Read everything."""
        rest = iter(lines)
        heading = _HEADING.match("".join(islice(rest, 5)))
        if heading is None or heading["dialect"] not in _DIALECTS:
            raise FileNotSound(1, "the file does not begin as an export of ours")
        head = Head(int(heading["seq"]), heading["hash"])
        self._file = ReadBack(heading["dialect"], head, heading["first"], heading["last"])
        shapes = [
            (getattr(self, f"_{name}"), re.compile(shape))
            for name, shape in _DIALECTS[heading["dialect"]]
        ]
        end = None
        for self._number, line in enumerate(rest, 6):
            if end is not None:
                raise FileNotSound(self._number, "something stands behind the end")
            line = line.removesuffix("\n")
            for act, shape in shapes:
                found = shape.fullmatch(line)
                if found is not None:
                    act(found)
                    break
            else:
                end = self._end(line)
        if end is None:
            raise FileNotSound(self._number, "the end is missing: the file was cut off")
        return self._file

    def _entry(self, _found: re.Match[str]) -> None:
        self._close()

    def _close(self) -> None:
        """Judge the entry that ends here."""
        for unit, left in self._sums.items():
            if left:
                raise FileNotSound(self._number, f"the entry above is off by {left} {unit}")
        self._sums.clear()

    def _line(self, found: re.Match[str]) -> None:
        code, minor = self._money(found, "amount")
        self._file.balances[code] += minor
        unit = unit_of(code)
        self._sums[unit] = self._sums.get(unit, 0) + minor
        if found.re.groupindex.get("balance") and found["balance"] is not None:
            self._assert(*self._money(found, "balance"))

    def _balance(self, found: re.Match[str]) -> None:
        self._close()
        self._assert(*self._money(found, "amount"))

    def _assert(self, code: str, minor: int) -> None:
        has = self._file.balances[code]
        if has != minor:
            raise FileNotSound(self._number, f"{code} has {has}, not {minor}")
        self._file.assertions += 1

    def _money(self, found: re.Match[str], amount: str) -> tuple[str, int]:
        code = self._codes.get(found["account"])
        if code is None:
            raise FileNotSound(self._number, f"the account {found['account']} was not opened")
        unit = unit_of(code)
        whole, _, fraction = found[amount].partition(".")
        if unit_of_name(found["unit"]) != unit or len(fraction) != self._decimals.get(unit):
            raise FileNotSound(self._number, f"{found[amount]} is no amount of {unit}")
        return code, int(whole + fraction)

    def _fact(self, found: re.Match[str]) -> None:
        name, value = found["fact"], found["value"]
        if name == "decimals" and self._unit:
            self._decimals[self._unit] = int(value)
        elif name == "seq":
            seq = int(value)
            if seq in self._seqs or seq > self._file.head.seq:
                raise FileNotSound(self._number, f"there is no second entry {seq}")
            self._seqs.add(seq)
            self._file.entries += 1

    def _commodity(self, found: re.Match[str]) -> None:
        self._unit = unit_of_name(found["unit"])
        if found.re.groupindex.get("sample"):
            self._decimals[self._unit] = len(found["sample"].partition(".")[2])

    def _account(self, found: re.Match[str]) -> None:
        code = account_code(found["account"])
        self._codes[found["account"]] = code
        self._file.balances[code] = 0

    def _nothing(self, _found: re.Match[str]) -> None:
        """Nothing: a line between others."""

    def _end(self, line: str) -> tuple[int, int]:
        self._close()
        found = _END.match(line)
        if found is None:
            raise FileNotSound(self._number, "the line is none that an export writes")
        said = (int(found["entries"]), int(found["assertions"]))
        if said != (self._file.entries, self._file.assertions):
            raise FileNotSound(
                self._number, f"{self._file.entries} entries were read, not {said[0]}"
            )
        return said
