"""Answers for a person's eyes: tables and fields in plain text, or JSON for machines.

Changes no value: amounts are printed as the gateway wrote them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

CELL_MAX = 70
LAST_MAX = 160
"""Behind the last column nothing has to stand in line."""
_AMOUNT = re.compile(r"-?\d+(\.\d+)?")


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows with the columns that matter, all of them as JSON."""
    if as_json:
        typer.echo(json.dumps(list(rows)))
        return
    if not rows:
        typer.echo("nothing found", err=True)
        return
    cells = [[_cell(row.get(column)) for column in columns[:-1]] for row in rows]
    for row, shown in zip(rows, cells, strict=True):
        shown.append(_cell(row.get(columns[-1]), LAST_MAX))
    heads = [column.replace("_", " ") for column in columns]
    widths = [max(map(len, each)) for each in zip(heads, *cells, strict=True)]
    is_amount = [
        all(map(_AMOUNT.fullmatch, filter(None, each))) for each in zip(*cells, strict=True)
    ]
    for line in (heads, *cells):
        padded = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, is_amount, strict=True)
        )
        typer.echo("  ".join(padded).rstrip())


def fields(item: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one item: a line per field, then what has fields of its own, then its lists."""
    if as_json:
        typer.echo(json.dumps(item))
        return
    _block(item, "")


def done(said: str, facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what an act came to: a sentence, or its facts as one JSON object."""
    typer.echo(json.dumps(facts) if as_json else said)


def written(file: Path, said: str, facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Tell of a file that was written: a sentence on standard error, or one JSON object."""
    if as_json:
        typer.echo(json.dumps({"file": str(file), "bytes": file.stat().st_size, **facts}))
    else:
        typer.echo(said, err=True)


def _block(item: Mapping[str, Any], indent: str) -> None:
    nested = {name: value for name, value in item.items() if isinstance(value, Mapping | list)}
    plain = {
        name: value
        for name, value in item.items()
        if value is not None and name not in nested and name != "object"
    }
    width = max(map(len, plain), default=0)
    for name, value in plain.items():
        typer.echo(f"{indent}{name.replace('_', ' '):<{width}}  {_text(value)}")
    for name, value in nested.items():
        if not value:
            continue
        typer.echo(f"\n{indent}{name.replace('_', ' ')}")
        if isinstance(value, Mapping):
            _block(value, f"{indent}  ")
        elif isinstance(value[0], Mapping):
            table(value, [key for key in value[0] if key != "object"], as_json=False)
        else:
            typer.echo("\n".join(f"{indent}  {_text(each)}" for each in value))


def _cell(value: object, longest: int = CELL_MAX) -> str:
    shown = _text(value)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping | list):
        return json.dumps(value)
    return str(value)
