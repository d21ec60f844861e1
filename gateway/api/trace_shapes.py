"""A trace as the API shows it: the steps of `settlement.trace`, shape for shape.

The shapes are made from the steps themselves, so that neither can say what the other does not.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import orjson
from pydantic import BaseModel, Field, create_model

from gateway.api.invoice_shapes import Shape
from settlement import trace
from settlement.clock import iso, to_micros
from settlement.money import Money, format_minor
from settlement.participants import checksummed

_ADDRESSES = frozenset(
    {"debtor_wallet", "creditor_wallet", "signer", "token", "sender", "receiver"}
)
_JSON = frozenset({"verdicts", "list_versions"})
"""Fields that hold JSON text, shown as what it says."""


class Amount(Shape):
    """An amount with its unit: an ISO 4217 code, a token's symbol, or WEI."""

    amount: str = Field(description="Decimal string.", examples=["1190.00"])
    unit: str


def shown(step: Any) -> Any:
    """Return a step as plain values: amounts as decimal strings, times in ISO 8601."""
    if isinstance(step, Money):
        return {
            "amount": format_minor(step.minor, step.unit.decimals),
            "unit": step.unit.code,
        }
    if isinstance(step, datetime):
        return iso(to_micros(step))
    if isinstance(step, tuple):
        return [shown(each) for each in step]
    if is_dataclass(step) and not isinstance(step, type):
        return {name: _field(name, getattr(step, name)) for name in _names(type(step))}
    return step


def _field(name: str, value: Any) -> Any:
    if value is not None and name in _ADDRESSES:
        return checksummed(value)
    if value is not None and name in _JSON:
        return orjson.loads(value)
    return shown(value)


@cache
def _names(step: type) -> tuple[str, ...]:
    keyed = ("key",) if isinstance(getattr(step, "key", None), property) else ()
    return (*keyed, *(field.name for field in fields(step)))


@cache
def _shape(step: type) -> type[BaseModel]:
    """Return the model of a step's dataclass."""
    hints = get_type_hints(step)
    members: dict[str, Any] = {
        name: (Any if name in _JSON else _member(hints.get(name, str)), ...)
        for name in _names(step)
    }
    name = step.__name__.removesuffix("Step")
    title = name if name == "Trace" else f"Traced{name}"
    return create_model(title, __base__=Shape, __doc__=step.__doc__, **members)


def _member(hint: Any) -> Any:
    """Return what a field of this type is shown as."""
    if hint is Money:
        return Amount
    if hint is datetime:
        return str
    if is_dataclass(hint):
        return _shape(hint)  # type: ignore[arg-type]
    if get_origin(hint) is tuple:
        return list[_member(get_args(hint)[0])]  # type: ignore[misc]
    options = get_args(hint)
    if options and type(None) in options:
        (inner,) = (each for each in options if each is not type(None))
        return _member(inner) | None
    return hint


Trace = _shape(trace.Trace)
