"""Lists by keyset cursors: `limit`, `starting_after`, `ending_before`, `has_more`.

A cursor is the id of an item: stable while new ones arrive. Knows no table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Query

from gateway.refusals import BodyInvalid

LIMIT_MAX = 100

Item = TypeVar("Item")
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Items a page.")]
Cursor = Annotated[
    str | None,
    Query(pattern=r"^[a-z]{3}_[0-9a-f]{32}$", description="An item's id, from a page before."),
]


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: older than `before_id`, or newer than `after_id`."""

    limit: int
    before_id: str | None
    after_id: str | None


def page_of(limit: int, starting_after: str | None, ending_before: str | None) -> Page:
    """Return the page that the parameters ask for.

    Raises:
        BodyInvalid: both cursors at once.
    """
    if starting_after and ending_before:
        raise BodyInvalid(
            [
                {
                    "type": "extra_forbidden",
                    "loc": ("query", "ending_before"),
                    "msg": "send one cursor, not both",
                    "input": ending_before,
                }
            ]
        )
    return Page(limit, starting_after, ending_before)


def listed(
    rows: Sequence[Item], page: Page, shown: Callable[[Item], dict[str, Any]]
) -> dict[str, Any]:
    """Return a list's answer; `rows` are up to `limit` + 1: the one too many tells of more."""
    has_more = len(rows) > page.limit
    if has_more:
        rows = rows[1:] if page.after_id else rows[: page.limit]
    return {"object": "list", "has_more": has_more, "data": [shown(row) for row in rows]}
