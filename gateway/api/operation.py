"""What a route is: method, path, what goes in and out, with an example of each.

Two kinds: a query reads and is an ordinary FastAPI endpoint; a command changes something and is
handed to the writer. Registering them is `gateway.app`'s business.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from pydantic import BaseModel

from gateway.auth import Caller
from gateway.context import Gateway
from gateway.problems import Asked
from gateway.writer import Work


class Command(NamedTuple):
    """A request that changes something: who sends it, what it names, what it carries."""

    caller: Caller
    path: Mapping[str, str]
    content: bytes
    media_type: str | None
    asked: Asked


Plan = Callable[[Gateway, Command], Awaitable[Work]]
"""Reads and checks a command, and returns what the writer is to do. Changes nothing itself."""


@dataclass(frozen=True, slots=True)
class BodyShape:
    """What a command's body may be: its schema, examples by name, further media types."""

    schema: dict[str, Any]
    examples: dict[str, Any]
    other_media_types: tuple[str, ...] = ()
    is_required: bool = True

    def either(self, model: type[BaseModel]) -> BodyShape:
        """Return a shape that takes another model as well."""
        other = model.model_json_schema(ref_template="#/components/schemas/{model}")
        return replace(self, schema={"anyOf": [other, self.schema]})


@dataclass(frozen=True, slots=True, eq=False)
class CommandRoute:
    """A POST."""

    path: str
    plan: Plan
    summary: str
    body: BodyShape
    answer: type[BaseModel]
    example: Any
    status: int = 200
    tag: str = ""
    method: str = "POST"

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, eq=False)
class QueryRoute:
    """A GET."""

    path: str
    endpoint: Callable[..., Any]
    summary: str
    answer: type[BaseModel] | None
    example: Any
    tag: str = ""
    method: str = "GET"
    media_type: str = "application/json"
    other_media_types: tuple[str, ...] = ()
    """What it also gives, each a file."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def body_of(
    model: type[BaseModel], examples: dict[str, Any], *, is_required: bool = True
) -> BodyShape:
    """Return the shape of a JSON body that is read as `model`."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return BodyShape(schema, examples, is_required=is_required)
