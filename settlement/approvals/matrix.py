"""The approval matrix: kind, amount and maker's role lead to approvers' roles and their number.

Data, checked when read, with the line in the message. Knows no request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from settlement.approvals.errors import MatrixInvalid, NoApprovalRule
from settlement.money import Unit, format_minor

SHIPPED = Path(__file__).parent / "matrix.yaml"
NEEDED_MAX = 9

_ROLES = frozenset(
    {"exporter", "importer", "treasury", "approver", "compliance", "overseer", "admin"}
)
_KEYS = {
    "kind": str,
    "from_units": int,
    "below_units": int,
    "makers": list,
    "approvers": list,
    "needed": int,
    "open_hours": int,
}
_OPTIONAL = frozenset({"from_units", "below_units"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. `from_units` is included, `below_units` is not; None: no bound."""

    kind: str
    makers: frozenset[str]
    approvers: tuple[str, ...]
    needed: int
    open_hours: int
    from_units: int = 0
    below_units: int | None = None

    def fits(self, role: str, minor: int | None, decimals: int) -> bool:
        """Say whether the row is for this maker's role and amount; None has no amount."""
        if role not in self.makers:
            return False
        if minor is None:
            return self.from_units == 0 and self.below_units is None
        one = 10**decimals
        return minor >= self.from_units * one and (
            self.below_units is None or minor < self.below_units * one
        )


@dataclass(frozen=True, slots=True)
class Matrix:
    """All rows in their order. `version` names the file's date and its content."""

    version: str
    rules: Mapping[str, tuple[Rule, ...]]

    def rule(self, kind: str, *, role: str, minor: int | None, unit: Unit | None) -> Rule:
        """Return the first row that fits.

        Raises:
            NoApprovalRule: none does.
        """
        decimals = unit.decimals if unit is not None else 0
        for rule in self.rules.get(kind, ()):
            if rule.fits(role, minor, decimals):
                return rule
        amount = "no amount"
        if minor is not None:
            amount = f"{format_minor(minor, decimals)} {unit.code if unit else ''}".strip()
        raise NoApprovalRule(kind, role, amount)


@lru_cache(maxsize=8)
def load(path: Path = SHIPPED) -> Matrix:
    """Read a matrix, once a process.

    Raises:
        MatrixInvalid: unknown or missing keys, values of another kind, roles that nobody has.
    """
    content = path.read_bytes()
    return parse(content, path.name)


def parse(content: bytes, name: str) -> Matrix:
    """Return the matrix of a YAML text.

    Raises:
        MatrixInvalid: see `load`.
    """
    try:
        root = yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise MatrixInvalid(name, line, error.problem or "is no YAML") from error
    if not isinstance(root, yaml.MappingNode):
        raise MatrixInvalid(name, 1, "needs version and rules")
    members = _members(root, name)
    if set(members) != {"version", "rules"}:
        raise MatrixInvalid(name, 1, "needs version and rules, and nothing else")
    rows = members["rules"]
    if not isinstance(rows, yaml.SequenceNode) or not rows.value:
        raise MatrixInvalid(name, _line(rows), "rules is a list of at least one row")
    rules: dict[str, list[Rule]] = {}
    for node in rows.value:
        rule = _rule(node, name)
        rules.setdefault(rule.kind, []).append(rule)
    digest = hashlib.sha256(content).hexdigest()[:12]
    version = str(members["version"].value)
    return Matrix(f"{version}#{digest}", {kind: tuple(each) for kind, each in rules.items()})


def _rule(node: yaml.Node, name: str) -> Rule:
    if not isinstance(node, yaml.MappingNode):
        raise MatrixInvalid(name, _line(node), "a row is a mapping")
    members = _members(node, name)
    missing = _KEYS.keys() - _OPTIONAL - members.keys()
    if missing:
        raise MatrixInvalid(name, _line(node), f"the row lacks {', '.join(sorted(missing))}")
    values: dict[str, Any] = {}
    for key, each in members.items():
        if key not in _KEYS:
            raise MatrixInvalid(name, _line(each), f"{key!r} is not known here")
        values[key] = value = _plain(each)
        if not isinstance(value, _KEYS[key]) or isinstance(value, bool):
            raise MatrixInvalid(name, _line(each), f"{key} is no {_KEYS[key].__name__}")
    for key in ("makers", "approvers"):
        strangers = [role for role in values[key] if role not in _ROLES]
        if strangers:
            raise MatrixInvalid(name, _line(members[key]), f"{strangers[0]!r} is no role")
    _require_sense(values, members, name)
    return Rule(
        kind=values["kind"],
        makers=frozenset(values["makers"]),
        approvers=tuple(values["approvers"]),
        needed=values["needed"],
        open_hours=values["open_hours"],
        from_units=values.get("from_units", 0),
        below_units=values.get("below_units"),
    )


def _require_sense(values: dict[str, Any], members: dict[str, yaml.Node], name: str) -> None:
    """Refuse rows that nobody could fulfil, or that let through what they seem to hold up."""
    if not values["makers"]:
        raise MatrixInvalid(name, _line(members["makers"]), "makers is empty")
    if not 0 <= values["needed"] <= NEEDED_MAX:
        raise MatrixInvalid(name, _line(members["needed"]), f"needed is from 0 to {NEEDED_MAX}")
    if bool(values["needed"]) != bool(values["approvers"]):
        raise MatrixInvalid(
            name, _line(members["approvers"]), "approvers are named where some are needed"
        )
    if values["open_hours"] < 1:
        raise MatrixInvalid(name, _line(members["open_hours"]), "open_hours is at least 1")
    start, end = values.get("from_units", 0), values.get("below_units")
    if start < 0 or (end is not None and end <= start):
        raise MatrixInvalid(name, _line(members["kind"]), "the row's amounts hold nothing")


def _members(node: yaml.MappingNode, name: str) -> dict[str, yaml.Node]:
    members: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if key.value in members:
            raise MatrixInvalid(name, _line(key), f"{key.value!r} is there twice")
        members[str(key.value)] = value
    return members


def _plain(node: yaml.Node) -> Any:
    return yaml.SafeLoader("").construct_object(node, deep=True)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
