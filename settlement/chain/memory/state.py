"""Everything that a block can change, as one mapping whose every change can be taken back.

Knows no contract and no block; a key is a tuple that its writer chooses.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, TypeAlias

Key: TypeAlias = tuple[Any, ...]
Changes: TypeAlias = list[tuple[Key, Any]]
"""What stood at a key before each change, oldest first."""


class _Mark(Enum):
    """What cannot be a value; an Enum, since a copied chain must know it again."""

    NOTHING = "nothing"


_NOTHING = _Mark.NOTHING


class State:
    """The world at one block, and the changes since the last `cut`."""

    def __init__(self) -> None:
        self._values: dict[Key, Any] = {}
        self._changes: Changes = []

    def get(self, key: Key, default: Any = 0) -> Any:
        """Return what stands at a key."""
        return self._values.get(key, default)

    def put(self, key: Key, value: Any) -> None:
        """Change what stands at a key."""
        self._changes.append((key, self._values.get(key, _NOTHING)))
        self._values[key] = value

    def mark(self) -> int:
        """Return a place to come back to by `undo_to`."""
        return len(self._changes)

    def undo_to(self, mark: int) -> None:
        """Take back every change since a mark."""
        while len(self._changes) > mark:
            self._restore(*self._changes.pop())

    def cut(self) -> Changes:
        """Return the changes since the last cut; from now on only `turn` takes them back."""
        changes, self._changes = self._changes, []
        return changes

    def turn(self, changes: Changes) -> Changes:
        """Take cut changes back, the newest first; return what turns them on again."""
        forward: Changes = []
        for key, before in reversed(changes):
            forward.append((key, self._values.get(key, _NOTHING)))
            self._restore(key, before)
        return forward

    def _restore(self, key: Key, before: Any) -> None:
        if before is _NOTHING:
            self._values.pop(key, None)
        else:
            self._values[key] = before
