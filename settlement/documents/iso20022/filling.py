"""From a tree of ISO 20022 element names to a message: by the typed classes, or straight to XML.

A tree is a mapping in the order of the schema. A value is text, a bool, a nested tree or a list of
them; "" is an element's own text, "@Ccy" an attribute; None and what is empty is left out. An
element name that the message does not have is a bug, and found at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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


class Fixed(dict[str, Any]):
    """A tree that many messages share and nobody changes: its XML is made once."""

    def __init__(self, tree: Tree) -> None:
        super().__init__(tree)
        self._texts: dict[str, str] = {}

    def text(self, name: str) -> str:
        """Return its XML as the element `name`."""
        if name not in self._texts:
            self._texts[name] = written(name, self)
        return self._texts[name]


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
    _write(parts.append, name, tree)
    return "".join(parts)


def _write(add: Callable[[str], None], name: str, tree: Tree) -> None:
    # Only an element with a text of its own has attributes: an amount its currency.
    add(f"<{name}{_attributes(tree)}>" if "" in tree else f"<{name}>")
    for key, value in tree.items():
        if key[:1] == "@" or value is None:
            continue
        if type(value) is str:
            add(_escaped(value) if key == "" else f"<{key}>{_escaped(value)}</{key}>")
        elif isinstance(value, Fixed):
            add(value.text(key))
        elif isinstance(value, dict):
            if value:
                _write(add, key, value)
        elif isinstance(value, list):
            for one in value:
                if isinstance(one, Fixed):
                    add(one.text(key))
                else:
                    _write(add, key, one if isinstance(one, dict) else {"": _worded(one)})
        else:
            add(f"<{key}>{_worded(value)}</{key}>")
    add(f"</{name}>")


def _worded(value: object) -> str:
    return value if isinstance(value, str) else str(value).lower()  # True or False.


def _attributes(tree: Tree) -> str:
    names = [name for name in tree if name[:1] == "@"]
    return "".join(f" {name[1:]}={quoteattr(tree[name])}" for name in names)


def _escaped(text: str) -> str:
    return escape(text) if "&" in text or "<" in text or ">" in text else text


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
