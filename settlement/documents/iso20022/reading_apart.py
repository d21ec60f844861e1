"""A large file judged in a process beside the one that reads it: on two cores, in the time of one.

Knows the judging program only as a module that prints the first fault, or nothing.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType

from settlement.documents.iso20022.reading_model import StatementUnreadable

SCHEMA = "settlement.documents.iso20022.reading_schema"
FORM = "settlement.documents.iso20022.reading_form"
WAIT_SECONDS = 3_600


class JudgedApart:
    """The judging of one file by another process; `fault` waits for it."""

    def __init__(self, path: Path, program: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", program, str(path)], stdout=subprocess.PIPE
        )

    def __enter__(self) -> JudgedApart:
        return self

    def fault(self) -> str:
        """Return what is wrong with the file, or nothing.

        Raises:
            StatementUnreadable: the other process died.
        """
        told, _ = self._process.communicate(timeout=WAIT_SECONDS)
        if self._process.returncode != 0:
            raise StatementUnreadable(
                "the process that judges its form died", line=None, path="/",
                repair="import it again; if it dies again, look at this machine's memory",
            )  # fmt: skip
        return told.decode("utf-8", "replace").strip()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()
