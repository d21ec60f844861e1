"""From a tree of ISO 20022 element names to a message: by the typed classes, or straight to XML.

A tree is a mapping in the order of the schema. A value is text, a bool, a nested tree or a list of
them; "" is an element's own text, "@Ccy" an attribute; None and what is empty is left out. An
element name that the message does not have is a bug, and found at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from importlib import import_module
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints
from xml.sax.saxutils import escape, quoteattr

from settlement.documents.iso20022.schema import namespace, require_valid

if TYPE_CHECKING:
    from xsdata.formats.dataclass.serializers import XmlSerializer

Tree = Mapping[str, Any]


def message(name: str, tree: Tree) -> bytes:
    """Return the message `name` (such as `pacs.008.001.08`) with the content of `tree`.

    `tree` begins below `Document`; below `AppHdr` for head.001.

    Raises:
        MessageInvalid: a value does not fit the schema.
    """
    family = name.partition(".")[0]
    module = import_module(f"pyiso20022.{family}.{name.replace('.', '_')}")
    root = module.AppHdr if family == "head" else module.Document
    text: str = _serializer().render(filled(root, tree), ns_map={None: namespace(name)})
    return require_valid(text.encode(), name)


def filled(kind: Any, tree: Tree) -> Any:
    """Return an instance of a generated class, with everything below it."""
    known = _members(kind)
    values: dict[str, Any] = {}
    for name, value in tree.items():
        if _is_empty(value):
            continue
        assert name in known, f"{kind.__name__} has no {name!r}"
        attribute, member, is_list = known[name]
        if is_list:
            many = value if isinstance(value, list) else [value]
            values[attribute] = [_value(member, one) for one in many]
        else:
            values[attribute] = _value(member, value)
    return kind(**values)


def written(name: str, tree: Tree) -> str:
    """Return the XML text of a tree, in the namespace around it: for long lists, many times faster.

    Its values are trusted to hold no control characters, as `values.clean` leaves them.
    """
    parts: list[str] = []
    _write(parts, name, tree)
    return "".join(parts)


def _write(parts: list[str], name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        text = str(value).lower() if isinstance(value, bool) else escape(str(value))
        parts.append(f"<{name}>{text}</{name}>")
        return
    attributes = "".join(
        f" {key[1:]}={quoteattr(one)}" for key, one in value.items() if key[:1] == "@"
    )
    parts.append(f"<{name}{attributes}>")
    for key, below in value.items():
        if key == "":
            parts.append(escape(below))
        elif key[0] != "@" and not _is_empty(below):
            for one in below if isinstance(below, list) else (below,):
                _write(parts, key, one)
    parts.append(f"</{name}>")


def _is_empty(value: object) -> bool:
    return value is None or value == [] or value == {}


def _value(kind: type[Any], value: Any) -> Any:
    if isinstance(value, Mapping):
        return filled(kind, value)
    if issubclass(kind, Enum):
        return kind(value)
    if issubclass(kind, bool):
        return value
    if issubclass(kind, Decimal):
        return Decimal(value)
    if kind is str:
        return str(value)
    return kind.from_string(value)  # A date or a moment, as the serialiser wants it.


@cache
def _members(kind: Any) -> dict[str, tuple[str, type[Any], bool]]:
    """Return by element name: the attribute, the class of a value, whether there may be many."""
    hints = get_type_hints(kind)
    found = {}
    for member in fields(kind):
        name = member.metadata.get("name", "")
        if member.metadata.get("type") == "Attribute":
            name = f"@{name}"
        hint = hints[member.name]
        is_list = get_origin(hint) is list
        kinds = get_args(hint) if is_list else _alternatives(hint)
        found[name] = (member.name, next(iter(kinds)), is_list)
    return found


def _alternatives(hint: Any) -> Iterable[Any]:
    return [one for one in get_args(hint) or (hint,) if one is not NoneType]


@lru_cache(maxsize=1)
def _serializer() -> XmlSerializer:
    from xsdata.formats.dataclass.serializers import XmlSerializer
    from xsdata.formats.dataclass.serializers.config import SerializerConfig

    return XmlSerializer(config=SerializerConfig(indent="  "))
