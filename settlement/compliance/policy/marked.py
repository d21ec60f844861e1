"""YAML as plain values that know their line: what a message about a pack has to say.

Every scalar stays the text that it is: no number becomes a float, no `NO` becomes False.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from settlement.compliance.policy.model import PackInvalid
from settlement.documents.identifiers import text_fault

_NODES_MAX = 50_000
"""An alias in an alias in an alias would never end."""
_LETTERS_MAX = 2_000_000
"""Nor would a long text that thousands of aliases stand for."""
_DEPTH_MAX = 20
"""Nor would an alias in what it stands for."""
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_TAG = "tag:yaml.org,2002:"
_TAGS = frozenset(
    _TAG + name
    for name in ["str", "seq", "map", "null", "bool", "int", "float", "timestamp", "merge", "value"]
)
"""What plain values are taken for; any other tag was written."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A mapping of a file, with the line of each key; `line` is its own."""

    file: str
    line: int
    values: dict[str, Any]
    lines: dict[str, int]

    def fault(self, text: str, key: str | None = None) -> PackInvalid:
        """Return what is wrong, with the line of `key` or the mapping's own."""
        return PackInvalid(self.file, text, self.lines.get(key or "", self.line))

    def require(self, needed: set[str], allowed: set[str]) -> None:
        """Return quietly if all that is needed is there, and nothing unknown.

        Raises:
            PackInvalid: with the line.
        """
        for key in self.values:
            if key not in needed | allowed:
                known = ", ".join(sorted(needed | allowed))
                raise self.fault(f"there is no key {key!r} here; there are {known}", key)
        for key in sorted(needed - set(self.values)):
            raise self.fault(f"{key} is missing")

    def text(self, key: str, default: str = "") -> str:
        """Return a text.

        Raises:
            PackInvalid: it is a list or a mapping, or empty.
        """
        value = self.values.get(key, default)
        if not isinstance(value, str) or (key in self.values and not value.strip()):
            raise self.fault(f"{key} is no text", key)
        return value

    def mappings(self, key: str) -> Iterator[Marked]:
        """Yield the mappings of a list.

        Raises:
            PackInvalid: it is no list of mappings.
        """
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, Marked) for each in value):
            raise self.fault(f"{key} is no list of mappings", key)
        yield from value


def read(file: str, content: bytes) -> Marked:
    """Return a file's mapping.

    Raises:
        PackInvalid: it is not YAML, or no mapping, or a key comes twice.
    """
    try:
        node = yaml.compose(content.decode(), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise PackInvalid(file, "it is not UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        fault = getattr(error, "problem", None) or "it is not YAML"
        raise PackInvalid(file, str(fault), mark.line + 1 if mark else None) from error
    except (ValueError, OverflowError) as error:
        raise PackInvalid(file, "it names a character that does not exist") from error
    except RecursionError as error:
        raise PackInvalid(file, "it is nested too deep") from error
    value = _value(_Left(file), node, 0) if node is not None else None
    if not isinstance(value, Marked):
        raise PackInvalid(file, "it holds no mapping", 1)
    return value


@dataclass(slots=True)
class _Left:
    """What may still be read of a file, aliases counted as often as they stand there."""

    file: str
    nodes: int = _NODES_MAX
    letters: int = _LETTERS_MAX


def _value(left: _Left, node: yaml.Node, depth: int) -> Any:
    left.nodes -= 1
    file, line = left.file, node.start_mark.line + 1
    if depth > _DEPTH_MAX:
        raise PackInvalid(file, f"it is nested more than {_DEPTH_MAX} deep", line)
    if node.tag not in _TAGS:
        raise PackInvalid(file, "a value has a tag, and none is known here", line)
    if left.nodes < 0:
        raise PackInvalid(file, f"it has more than {_NODES_MAX} values", line)
    if isinstance(node, yaml.ScalarNode):
        return _text(left, node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(left, each, depth + 1) for each in node.value]
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        at = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise PackInvalid(file, "a key is no text", at)
        name = _text(left, key)
        if name in values:
            raise PackInvalid(file, f"the key {name!r} comes twice", at)
        lines[name] = at
        values[name] = _value(left, value, depth + 1)
    return Marked(file, line, values, lines)


def _text(left: _Left, node: yaml.ScalarNode) -> str:
    """Return a text that can be stored and shown."""
    text: str = node.value
    line = node.start_mark.line + 1
    left.letters -= len(text)
    if left.letters < 0:
        raise PackInvalid(left.file, f"it has more than {_LETTERS_MAX} letters", line)
    if fault := text_fault(text):
        raise PackInvalid(left.file, fault, line)
    if _HALF_CHARACTER.search(text):
        raise PackInvalid(left.file, "it holds half a character", line)
    return text
