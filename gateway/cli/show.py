"""Answers for a person's eyes: tables and fields in plain text, or JSON for machines.

Changes no value: amounts are printed as the gateway wrote them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer

CELL_MAX = 70


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows with the columns that matter, all of them as JSON."""
    if as_json:
        typer.echo(json.dumps(list(rows)))
        return
    if not rows:
        typer.echo("nothing found", err=True)
        return
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(len, each)) for each in zip(columns, *cells, strict=True)]
    for line in ([column.replace("_", " ") for column in columns], *cells):
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(padded).rstrip())


def fields(item: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one item: a line per field, then its lists as tables."""
    if as_json:
        typer.echo(json.dumps(item))
        return
    plain = {name: value for name, value in item.items() if not isinstance(value, list)}
    width = max(map(len, plain), default=0)
    for name, value in plain.items():
        if value is not None and name != "object":
            typer.echo(f"{name.replace('_', ' '):<{width}}  {_text(value)}")
    for name, value in item.items():
        if isinstance(value, list) and value:
            typer.echo(f"\n{name.replace('_', ' ')}")
            if isinstance(value[0], Mapping):
                table(value, [key for key in value[0] if key != "object"], as_json=False)
            else:
                typer.echo("\n".join(f"  {each}" for each in value))


def _cell(value: object) -> str:
    shown = _text(value)
    return shown if len(shown) <= CELL_MAX else shown[: CELL_MAX - 1] + "…"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping | list):
        return json.dumps(value)
    return str(value)
