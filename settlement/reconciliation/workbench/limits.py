"""Who may do what on the workbench, and up to what amount: data, and the rules that read it.

Amounts are whole units of whatever currency or token is in question.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import orjson

from settlement.errors import Forbidden
from settlement.money import format_minor
from settlement.reconciliation.workbench.errors import OverTheLimit

TREASURY = "treasury"
APPROVER = "approver"

ROLES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        (
            "assign",
            "match",
            "unmatch",
            "split",
            "attribute",
            "return",
            "reopen",
            "close",
            "undo",
            "propose",
            "write_off",
            "adjust",
            "withdraw",
        ),
        frozenset({TREASURY}),
    ),
    "comment": frozenset({TREASURY, APPROVER}),
    "approve": frozenset({APPROVER}),
    "refuse": frozenset({APPROVER}),
}
"""Role by act, for every door alike: the API's single routes, and each row of a sheet."""


class Person(NamedTuple):
    """Who acts: the words that event rows keep, and the role."""

    actor: str
    role: str


class Limit(NamedTuple):
    """Of one act, in whole units."""

    propose_max: int
    one_approver_max: int


@lru_cache(maxsize=1)
def limits() -> Mapping[str, Limit]:
    """Return the limits in force, as shipped."""
    text = files("settlement.reconciliation.workbench").joinpath("limits.json").read_bytes()
    read = orjson.loads(text)
    return {
        act: Limit(int(each["propose_max"]), int(each["one_approver_max"]))
        for act, each in read.items()
        if act != "version"
    }


def require_role(person: Person, act: str) -> None:
    """Return quietly if the person's role may do this.

    Raises:
        Forbidden: it may not.
    """
    may = ROLES.get(act, frozenset())
    if person.role not in may:
        raise Forbidden(
            f"role {person.role} may not {act} a break",
            field="action",
            repair=f"this is done by: {', '.join(sorted(may)) or 'nobody'}",
        )


def approvers_needed(act: str, minor: int, decimals: int, unit: str) -> int:
    """Return how many approvers this amount needs.

    Raises:
        OverTheLimit: nobody may propose so much.
    """
    limit, one = limits()[act], 10**decimals
    if minor > limit.propose_max * one:
        amount = f"{format_minor(minor, decimals)} {unit}"
        raise OverTheLimit(act, amount, f"{limit.propose_max} {unit}")
    return 1 if minor <= limit.one_approver_max * one else 2
