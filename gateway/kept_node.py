"""The anvil of `settle up`: its state is kept while it runs, and it is started again if it ends.

Knows nothing of what is paid on it.
"""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import dataclass, field

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


@dataclass(slots=True)
class KeptNode:
    """An anvil that was started, with a file for its state."""

    anvil: Anvil
    _kept_at: float = field(default_factory=time.monotonic)
    _took: float = 0.0

    def save(self) -> None:
        """Write its state to its file: whole, or not at all, whenever either process is killed.

        Raises:
            ChainUnreachable: it did not answer; the file is what it was.
        """
        file = self.anvil.options.state
        assert file is not None, "a node that is kept has a file for its state"
        with closing(AnvilControls(self.anvil.url)) as controls:
            state = controls.dumped_state()
        beside = file.with_suffix(".next")
        with beside.open("wb") as stream:
            stream.write(state)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(file)

    def keep(self, monotonic: float) -> list[str]:
        """Start it again if it has ended, else keep its state if it is time; say what happened."""
        if not self.anvil.is_running:
            return [self._start_again(monotonic - self._kept_at)]
        if monotonic - self._kept_at >= max(KEEP_SECONDS, self._took * _SHARE):
            try:
                self.save()
            except ChainUnreachable:
                return []  # It has ended meanwhile, or is busy: the next look tells.
            self._kept_at = time.monotonic()
            self._took = self._kept_at - monotonic
        return []

    def _start_again(self, lost_seconds: float) -> str:
        self.anvil.kill()
        try:
            self.anvil.start()
        except RailError as error:
            return f"The local chain (anvil) ended and does not start again: {error}"
        return (
            "The local chain (anvil) ended by itself and was started again: the blocks of its last"
            f" {lost_seconds:.0f} seconds are lost. What was sent in them is sent again."
        )
