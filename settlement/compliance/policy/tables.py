"""Tables of a policy: rates to the euro, and lists of goods, from CSV files with a head.

rates.csv          currency,units_per_eur,as_of,source
goods_NAME.csv     hs_prefix,category,as_of,source
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction

from settlement.compliance.policy.model import PackInvalid
from settlement.compliance.policy.windows import Tables
from settlement.documents.identifiers import minor_units

_RATES = ["currency", "units_per_eur", "as_of", "source"]
_GOODS = ["hs_prefix", "category", "as_of", "source"]
_RATE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?\Z", re.ASCII)
_PREFIX = re.compile(r"[0-9]{2,10}\Z", re.ASCII)


def read_tables(files: Mapping[str, bytes]) -> Tables:
    """Return the tables of CSV files.

    Raises:
        PackInvalid: another head, another number of columns, or a value of another kind.
    """
    rates: dict[str, Fraction] = {"EUR": Fraction(1)}
    goods: dict[str, tuple[str, ...]] = {}
    for name, content in sorted(files.items()):
        if name == "rates.csv":
            rates |= dict(_rates(name, content))
        elif name.startswith("goods_"):
            listed = name.removeprefix("goods_").removesuffix(".csv")
            goods[listed] = tuple(sorted(_prefixes(name, content)))
        else:
            raise PackInvalid(name, "a table is rates.csv or goods_NAME.csv")
    return Tables(rates, goods)


def _rates(name: str, content: bytes) -> Iterator[tuple[str, Fraction]]:
    for line, (currency, rate, _, _) in _lines(name, content, _RATES):
        if minor_units(currency) is None:
            raise PackInvalid(name, f"{currency!r} is no ISO 4217 code", line)
        if not _RATE.match(rate) or not Fraction(rate):
            raise PackInvalid(name, f"{rate!r} is no rate above zero", line)
        yield currency, Fraction(rate)


def _prefixes(name: str, content: bytes) -> Iterator[str]:
    for line, (prefix, *_) in _lines(name, content, _GOODS):
        digits = prefix.replace(".", "")
        if not _PREFIX.match(digits):
            raise PackInvalid(name, f"{prefix!r} is no HS code", line)
        yield digits


def _lines(name: str, content: bytes, head: list[str]) -> Iterator[tuple[int, list[str]]]:
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        if next(reader, None) != head:
            raise PackInvalid(name, f"its head is not {','.join(head)}", 1)
        for row in reader:
            if not row:
                continue
            if len(row) != len(head):
                raise PackInvalid(name, f"{len(row)} columns of {len(head)}", reader.line_num)
            yield reader.line_num, [each.strip() for each in row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise PackInvalid(name, f"it cannot be read: {error}") from error
