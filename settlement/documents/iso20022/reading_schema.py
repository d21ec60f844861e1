"""A large file judged by its schema in a process beside the one that reads it.

`python -m settlement.documents.iso20022.reading_schema FILE` prints the first fault's words, or
nothing. Judging costs as much as reading: on two cores they take the time of one.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from lxml import etree

from settlement.documents.iso20022.reading_faults import schema_refusal
from settlement.documents.iso20022.reading_model import StatementUnreadable
from settlement.documents.iso20022.reading_source import (
    Message,
    elements,
    message_of,
    schema_of,
)

APART_BYTES = 4_000_000
"""A smaller file is judged while it is read: starting a process would cost more."""
WAIT_SECONDS = 3_600


class JudgedApart:
    """The judging of one file by another process; `result` waits for it."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(path)], stdout=subprocess.PIPE
        )

    def __enter__(self) -> JudgedApart:
        return self

    def result(self, file: BinaryIO, message: Message) -> None:
        """Return quietly if the file obeys its schema.

        Raises:
            StatementUnreadable: it does not, or the other process died.
        """
        told, _ = self._process.communicate(timeout=WAIT_SECONDS)
        if self._process.returncode != 0:
            raise StatementUnreadable(
                "the process that judges it by its schema died", line=None, path="/",
                repair="import it again; if it dies again, look at this machine's memory",
            )  # fmt: skip
        if told:
            raise schema_refusal(file, message, told.decode("utf-8", "replace").strip())

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()


def main(path: str) -> None:
    """Judge a file and print its first fault."""
    with open(path, "rb") as file:
        message = message_of(file)
        schema = schema_of(message)
        try:
            for element in elements(file, message, ("Ntry",), schema):
                element.clear()
                parent = element.getparent()
                while parent is not None and element.getprevious() is not None:
                    del parent[0]
        except etree.XMLSyntaxError as error:
            print(error.msg or "it does not obey its schema")


if __name__ == "__main__":
    main(sys.argv[1])
