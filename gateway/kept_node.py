"""The anvil of `settle up`: its state is kept while it runs, and it is started again if it ends.

Knows nothing of what is paid on it.
"""

from __future__ import annotations

import os
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from settlement.chain.anvil import Anvil
from settlement.chain.anvil_controls import AnvilControls
from settlement.errors import ChainUnreachable, RailError, Refused

KEEP_SECONDS = 5
"""Fewer one-second blocks than make a block final: a crash takes none that is."""
_SHARE = 10
"""Of the time at most: a chain of many hours takes longer to write."""


class ChainLost(Refused):
    """The local chain is not the one that the records tell of, and nothing brings that back."""

    def __init__(self, what: RailError) -> None:
        super().__init__(
            f"the local chain has lost what the records were founded on: {what}",
            repair="put chain/state.json of this home back if you have a copy; else keep the home"
            " for reading, and begin anew with `settle up --home ANOTHER`",
        )


class RecordsLost(Refused):
    """The local chain has a past of which there are no records."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"{file} is not there, and the chain of this home has begun: its records were deleted,"
            " moved, or are in another database",
            repair="put the file back, or a backup with `settle restore`, or name the database with"
            " --database; or begin anew with `settle up --home ANOTHER`",
        )


def require_records(state: Path, database: Path | None) -> None:
    """Refuse a chain that goes on without its records; `database` is their file, if it is one.

    Raises:
        RecordsLost: the chain has begun, and there is no such file.
    """
    if database is not None and state.exists() and not database.exists():
        raise RecordsLost(database)


@dataclass(slots=True)
class KeptNode:
    """An anvil that was started, with a file for its state."""

    anvil: Anvil
    _kept_at: float = field(default_factory=time.monotonic)
    _took: float = 0.0
    _failed_at: float | None = None
    """When its file could not be written the last time; None once it was written again."""

    def save(self) -> None:
        """Write its state to its file: whole, or not at all, whenever either process is killed.

        Raises:
            ChainUnreachable: it did not answer; the file is what it was.
            OSError: it cannot be written, as on a full disk; the file is what it was.
        """
        file = self.anvil.options.state
        assert file is not None, "a node that is kept has a file for its state"
        with closing(AnvilControls(self.anvil.url)) as controls:
            state = controls.dumped_state()
        beside = file.with_suffix(".next")
        try:
            with beside.open("wb") as stream:
                stream.write(state)
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(file)
        except OSError:
            with suppress(OSError):
                beside.unlink()  # Half a file only takes the room that is missing.
            raise

    def keep(self, monotonic: float) -> list[str]:
        """Start it again if it has ended, else keep its state if it is time; say what happened."""
        if not self.anvil.is_running:
            return [self._start_again(monotonic - self._kept_at)]
        tried_at = self._failed_at or self._kept_at
        if monotonic - tried_at < max(KEEP_SECONDS, self._took * _SHARE):
            return []
        try:
            self.save()
        except ChainUnreachable:
            return []  # It has ended meanwhile, or is busy: the next look tells.
        except OSError as error:
            was_told, self._failed_at = self._failed_at is not None, monotonic
            return [] if was_told else [self._unkept(error)]
        was_told, self._failed_at = self._failed_at is not None, None
        self._kept_at = time.monotonic()
        self._took = self._kept_at - monotonic
        return ["The local chain is kept again."] if was_told else []

    def _unkept(self, error: OSError) -> str:
        assert self.anvil.options.state is not None
        folder = self.anvil.options.state.parent
        return (
            f"The local chain cannot be kept in {folder}: {error.strerror or error}. All goes on,"
            " but what it mines from now on would be lost with an end of this: make room there, or"
            " let this user write there, and wait until it says that the chain is kept again."
        )

    def _start_again(self, lost_seconds: float) -> str:
        self.anvil.kill()
        try:
            self.anvil.start()
        except (RailError, OSError) as error:
            return f"The local chain (anvil) ended and does not start again: {error}"
        return (
            "The local chain (anvil) ended by itself and was started again: the blocks of its last"
            f" {lost_seconds:.0f} seconds are lost. What was sent in them is sent again."
        )
