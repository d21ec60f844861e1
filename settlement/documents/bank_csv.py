"""How a bank's CSV is to be read: the saved mapping, and whether it makes sense.

Reads no CSV; `bank_csv_reading` does, by this.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from settlement.errors import Invalid

_DATE_TOKENS = {"YYYY": r"(?P<year>\d{4})", "YY": r"(?P<short>\d{2})", "MM": r"(?P<month>\d{1,2})",
                "DD": r"(?P<day>\d{1,2})"}  # fmt: skip
_TOKEN = re.compile("YYYY|YY|MM|DD")
_WORDS_MAX = 20

Column = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=_WORDS_MAX)]


class MappingInvalid(Invalid):
    """A CSV mapping is incomplete or contradicts itself; `field` says where."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class CsvColumns(_Strict):
    """The header's name of each column that is read; others are left alone."""

    booking_date: Column
    value_date: Column | None = None
    amount: Column | None = None
    credit: Column | None = None
    debit: Column | None = None
    direction: Column | None = None
    currency: Column | None = None
    balance: Column | None = Field(None, description="The account's balance after the row.")
    end_to_end_id: Column | None = None
    bank_reference: Column | None = None
    uetr: Column | None = None
    creditor_reference: Column | None = None
    remittance: Annotated[list[Column], Field(max_length=20)] = []
    counterparty_name: Column | None = None
    counterparty_account: Column | None = None
    transaction_code: Column | None = None


class CsvMapping(_Strict):
    """Everything that a reader needs to know of one bank's CSV."""

    columns: CsvColumns
    delimiter: Literal[",", ";", "|", "\t"] = ";"
    encoding: Literal[
        "utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "iso-8859-15", "windows-1252"
    ] = "utf-8-sig"
    skip_lines: Annotated[int, Field(ge=0, le=100)] = 0
    """Lines before the header."""
    date_format: Annotated[str, Field(max_length=20)] = "YYYY-MM-DD"
    decimal_sign: Literal[".", ","] = "."
    grouping_sign: Literal["", ".", ",", " ", "'"] = ""
    amount_sign: Literal["signed", "negated", "columns", "direction"] = "signed"
    """signed: + is credited; negated: - is; columns: credit and debit; direction: a word."""
    credit_words: Words = []
    debit_words: Words = []

    def date_pattern(self) -> re.Pattern[str]:
        """Return what a day in this format looks like."""
        parts = re.split("(YYYY|YY|MM|DD)", self.date_format)
        pattern = "".join(_DATE_TOKENS.get(part, re.escape(part)) for part in parts)
        return re.compile(pattern + r"\Z", re.ASCII)


def mapping_of(content: bytes) -> CsvMapping:
    """Return a mapping from its JSON.

    Raises:
        MappingInvalid: no JSON, unknown or missing fields, or fields that do not go together.
    """
    try:
        plain: Any = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise MappingInvalid(
            f"the mapping is no JSON: {error.msg} at line {error.lineno}",
            field="mapping", repair="send one JSON object; `settle bank mapping show` shows one",
        ) from error  # fmt: skip
    try:
        mapping = CsvMapping.model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "/".join(str(part) for part in first["loc"]) or "mapping"
        raise MappingInvalid(
            f"{place}: {first['msg']}", field=place, repair="correct it; docs/api.md has the fields"
        ) from error
    _check(mapping)
    return mapping


def _check(mapping: CsvMapping) -> None:
    """Refuse fields that do not go together."""
    columns = mapping.columns
    by_sign = {
        "signed": ("amount",),
        "negated": ("amount",),
        "columns": ("credit", "debit"),
        "direction": ("amount", "direction"),
    }
    wanted = by_sign[mapping.amount_sign]
    for name in ("amount", "credit", "debit", "direction"):
        if (getattr(columns, name) is not None) != (name in wanted):
            must = "is needed" if name in wanted else "has no meaning"
            raise MappingInvalid(
                f"columns/{name} {must} where amount_sign is {mapping.amount_sign}",
                field=f"columns/{name}", repair=f"name exactly {' and '.join(wanted)}",
            )  # fmt: skip
    if mapping.amount_sign == "direction":
        credit, debit = set(mapping.credit_words), set(mapping.debit_words)
        if not credit or not debit or credit & debit:
            raise MappingInvalid(
                "credit_words and debit_words must both be there and differ",
                field="credit_words", repair="list the words of the direction column",
            )  # fmt: skip
    if mapping.grouping_sign == mapping.decimal_sign:
        raise MappingInvalid(
            "grouping_sign and decimal_sign are the same",
            field="grouping_sign", repair="name the sign between thousands, or leave it empty",
        )  # fmt: skip
    tokens = sorted(_TOKEN.findall(mapping.date_format))
    rest = _TOKEN.sub("", mapping.date_format)
    if tokens not in (["DD", "MM", "YYYY"], ["DD", "MM", "YY"]) or any(map(str.isalnum, rest)):
        raise MappingInvalid(
            f"date_format {mapping.date_format!r} is not one day",
            field="date_format", repair="write DD, MM and YYYY (or YY) once: DD.MM.YYYY",
        )  # fmt: skip
