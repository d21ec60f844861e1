"""JSON bodies, read strictly: each key once, no NaN, nothing unknown, amounts as strings.

Trade documents have their own reader in `settlement.documents`; this one is for everything else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from gateway.refusals import BodyInvalid, BodyUnreadable

Model = TypeVar("Model", bound="Body")


class Body(BaseModel):
    """A request's body: unknown fields are refused, a number is no string."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def read(content: bytes, model: type[Model]) -> Model:
    """Return the body as `model`; an empty one counts as `{}`.

    Raises:
        BodyUnreadable: no JSON, a key twice, NaN, nested too deeply.
        BodyInvalid: with every field that is missing, unknown or wrong.
    """
    plain = plain_json(content) if content.strip() else {}
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        raise BodyInvalid(error.errors(include_url=False, include_context=False)) from error


def plain_json(content: bytes) -> Any:
    """Return the JSON value, none of whose objects has a key twice.

    Raises:
        BodyUnreadable: it has, or it is no JSON.
    """
    try:
        plain = orjson.loads(content)
        # Without escapes every string has two quotes, so a lost twin shows in their count.
        if b"\\" in content:
            json.loads(content, object_pairs_hook=_unique)
        elif orjson.dumps(plain).count(b'"') != content.count(b'"'):
            raise BodyUnreadable("a key stands twice in one object")
        if b"\\u0000" in content and any("\0" in each for each in _texts(plain)):
            # No database keeps it, and no person reads it.
            raise BodyUnreadable("a text holds the character U+0000")
    except (orjson.JSONDecodeError, json.JSONDecodeError) as error:
        raise BodyUnreadable(f"{error.msg} at line {error.lineno}") from error
    except RecursionError as error:
        raise BodyUnreadable("it is nested too deeply") from error
    return plain


def _texts(plain: Any) -> Iterator[str]:
    """Yield every text of a JSON value, the keys among them."""
    if isinstance(plain, str):
        yield plain
    elif isinstance(plain, list):
        for each in plain:
            yield from _texts(each)
    elif isinstance(plain, dict):
        for key, value in plain.items():
            yield key
            yield from _texts(value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BodyUnreadable("a key stands twice in one object")
    return found
