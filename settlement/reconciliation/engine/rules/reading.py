"""Reading a rule set from YAML or JSON: every fault is named with its line.

Numbers are taken as they are written, never through a float. Reads no file and no table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn

import yaml

from settlement.errors import Invalid

BYTES_MAX = 65_536
_DEPTH_MAX = 8
# The same language, read by C where PyYAML was built with it: twenty times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,6}))?\Z", re.ASCII)


class RuleSetInvalid(Invalid):
    """A rule set says what no rule set may say; its line is told."""

    def __init__(self, line: int, fault: str, repair: str) -> None:
        super().__init__(f"line {line}: {fault}", field="rules", repair=repair)
        self.line = line


class Place:
    """A node of the document: its value, and faults with its line."""

    def __init__(self, node: yaml.Node, name: str) -> None:
        self._node, self.name = node, name
        self.line: int = node.start_mark.line + 1

    def refuse(self, fault: str, repair: str) -> NoReturn:
        """Raise the fault here."""
        raise RuleSetInvalid(self.line, f"{self.name} {fault}", repair)

    def fields(self, wanted: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Place]:
        """Return the members of a mapping: all of `wanted`, and none but those named here."""
        if not isinstance(self._node, yaml.MappingNode):
            self.refuse("is no mapping", f"write {', '.join(wanted)} below it")
        found: dict[str, Place] = {}
        for key, value in self._node.value:
            name = str(key.value)
            place = Place(value, f"{self.name}.{name}" if self.name else name)
            if name in found:
                place.refuse("is said twice", "leave one of them out")
            if name not in (*wanted, *optional):
                allowed = ", ".join((*wanted, *optional))
                place.refuse("is not known here", f"what may stand here: {allowed}")
            found[name] = place
        for name in wanted:
            if name not in found:
                self.refuse(f"lacks {name}", f"add {name}")
        return found

    def items(self, *, least: int, most: int) -> list[Place]:
        """Return the members of a list."""
        if not isinstance(self._node, yaml.SequenceNode):
            self.refuse("is no list", "write it in brackets")
        if not least <= len(self._node.value) <= most:
            self.refuse(f"has {len(self._node.value)} members", f"name {least} to {most}")
        return [Place(node, f"{self.name}[{i}]") for i, node in enumerate(self._node.value)]

    def text(self, *, most: int = 200) -> str:
        """Return a scalar as it is written."""
        if not isinstance(self._node, yaml.ScalarNode):
            self.refuse("is no single value", "write one value")
        said = str(self._node.value)
        if not 1 <= len(said) <= most or not said.isprintable():
            self.refuse("is empty, too long, or not printable", f"1 to {most} characters")
        return said

    def one_of(self, allowed: tuple[str, ...]) -> str:
        """Return a word out of a list."""
        said = self.text()
        if said not in allowed:
            self.refuse(f"is {said!r}", f"one of {', '.join(allowed)}")
        return said

    def words(self, allowed: tuple[str, ...], *, least: int) -> tuple[str, ...]:
        """Return distinct words out of a list, in the order of `allowed`."""
        said = [each.one_of(allowed) for each in self.items(least=least, most=len(allowed))]
        if len(set(said)) != len(said):
            self.refuse("names one of them twice", "leave it out")
        return tuple(word for word in allowed if word in said)

    def whole(self, *, least: int, most: int) -> int:
        """Return a whole number."""
        said = self.text(most=20)
        if not said.isascii() or not said.isdigit() or not least <= int(said) <= most:
            self.refuse(f"is {said!r}", f"a whole number from {least} to {most}")
        return int(said)

    def decimal(self, decimals: int) -> int:
        """Return a decimal number, times 10 to the power of `decimals`."""
        found = _DECIMAL.match(self.text(most=20))
        if found is None or len(found.group(2) or "") > decimals:
            self.refuse(
                f"is {self.text(most=20)!r}",
                f"digits, no sign, at most {decimals} of them after the point",
            )
        return int(found.group(1)) * 10**decimals + int((found.group(2) or "").ljust(decimals, "0"))


def document(content: bytes) -> Place:
    """Return the root of a YAML or JSON document.

    Raises:
        RuleSetInvalid: it is too large, not UTF-8, not YAML, nested too deeply, or has aliases.
    """
    if len(content) > BYTES_MAX:
        raise RuleSetInvalid(1, f"more than {BYTES_MAX} bytes", "leave something out")
    try:
        said = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise RuleSetInvalid(line, "not UTF-8", "save the file as UTF-8") from error
    try:
        _check_events(said)
        root = yaml.compose(said, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        raise RuleSetInvalid(line, f"not YAML: {error.problem}", "correct the syntax") from error
    except yaml.reader.ReaderError as error:
        line = _line_of(said, error.position)
        raise RuleSetInvalid(line, "a character that YAML has not", "take it out") from error
    if root is None:
        raise RuleSetInvalid(1, "nothing in it", "write name and rules")
    return Place(root, "")


def _line_of(said: str, position: int) -> int:
    """The C reader counts bytes of UTF-8, the other one characters."""
    if _LOADER is yaml.SafeLoader:
        return said[:position].count("\n") + 1
    return said.encode()[:position].count(b"\n") + 1


def _check_events(said: str) -> None:
    """Refuse before anything is built what would make the building long."""
    for depth, event in _with_depth(said):
        assert event.start_mark is not None, "what was read from text has a place in it"
        line = event.start_mark.line + 1
        if depth > _DEPTH_MAX:
            raise RuleSetInvalid(line, "nested too deeply", "write it flatter")
        if isinstance(event, yaml.AliasEvent):
            raise RuleSetInvalid(line, "an alias", "write it out")


def _with_depth(said: str) -> Iterator[tuple[int, yaml.Event]]:
    depth = 0
    for event in yaml.parse(said, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        yield depth, event
