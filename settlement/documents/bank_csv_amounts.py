"""Amounts in a bank's CSV: text, as the mapping says that the bank writes it, to minor units.

Guesses nothing: what could be another amount under another mapping is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from settlement.documents.bank_csv import CsvMapping
from settlement.documents.iso20022.reading_model import StatementInvalid
from settlement.documents.iso20022.reading_values import Misfit, decimals_of, minor


def amount_of(cells: Mapping[str, str], mapping: CsvMapping, currency: str, line: int) -> int:
    """Return a row's amount in minor units, positive where it is credited.

    Raises:
        StatementInvalid: it is not written as the mapping says, or its side is not told.
    """
    if mapping.amount_sign == "columns":
        credit, debit = cells["credit"], cells["debit"]
        if bool(credit) == bool(debit):
            raise StatementInvalid(
                "a row has a credit or a debit, one of them", line=line, path="columns/credit",
                repair="correct the mapping's columns",
            )  # fmt: skip
        # Some banks write a minus into the debit column, too.
        value = signed(credit or debit, mapping, currency, line, "credit" if credit else "debit")
        return value if credit else -abs(value)
    value = signed(cells["amount"], mapping, currency, line, "amount")
    if mapping.amount_sign == "negated":
        return -value
    if mapping.amount_sign == "signed":
        return value
    word, is_signed = cells["direction"], not set("+-").isdisjoint(cells["amount"])
    if is_signed or (word not in mapping.credit_words and word not in mapping.debit_words):
        raise StatementInvalid(
            f"{word[:40]!r} with {cells['amount'][:40]!r} is no direction with an amount",
            line=line, path="direction",
            repair="list its word in credit_words or debit_words; no signs",
        )  # fmt: skip
    return value if word in mapping.credit_words else -value


def signed(text: str, mapping: CsvMapping, currency: str, line: int, field: str) -> int:
    """Return minor units of `1.250,01`, `-5,00` or `5,00-`, by the mapping's signs.

    Raises:
        StatementInvalid: another grouping, sign or character, more decimals than the currency has.
    """
    found = _pattern(mapping.decimal_sign, mapping.grouping_sign).match(text)
    if found is None or (found["before"] and found["after"]):
        grouped = f", with {mapping.grouping_sign!r} between thousands" * bool(
            mapping.grouping_sign
        )
        raise StatementInvalid(
            f"{text[:40]!r} is no amount of {currency} with the decimal sign"
            f" {mapping.decimal_sign!r}{grouped}", line=line, path=field,
            repair="correct the mapping's decimal_sign and grouping_sign, or the file: digits 0-9,"
            " whole groups of three, one sign + or - before or one - behind, no blank elsewhere",
        )  # fmt: skip
    whole, fraction = found["whole"].replace(mapping.grouping_sign, ""), found["fraction"] or ""
    try:
        decimals = decimals_of(currency)
        if len(fraction) > decimals:
            # `4,320` may be four thousand of a bank that writes a comma between thousands.
            raise Misfit(f"{text[:40]!r} has more than {decimals} decimals", "")
        value = minor(f"{whole}.{fraction}", decimals)
    except Misfit as misfit:
        raise StatementInvalid(
            f"{text[:40]!r} is no amount of {currency}: {misfit.message}", line=line, path=field,
            repair="correct the mapping's decimal_sign and grouping_sign, or the file",
        ) from misfit  # fmt: skip
    return -value if "-" in (found["before"], found["after"]) else value


@lru_cache(maxsize=16)
def _pattern(decimal_sign: str, grouping_sign: str) -> re.Pattern[str]:
    """Return how a whole amount is written.

    A trailing minus is old, and still written. `0.500` is no thousand: it is half of something.
    """
    decimal, grouping = re.escape(decimal_sign), re.escape(grouping_sign)
    grouped = rf"[1-9]\d{{0,2}}(?:{grouping}\d{{3}})+|" if grouping_sign else ""
    return re.compile(
        rf"(?P<before>[+-]?)(?P<whole>{grouped}\d+)(?:{decimal}(?P<fraction>\d+))?(?P<after>-?)\Z",
        re.ASCII,
    )
