"""What is said when a command ends by what no rule refused: a file, the database, a setting, a bug.

Decides nothing. What the rail refuses says its own sentence, in `gateway.cli.main`.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import traceback
from dataclasses import dataclass
from typing import Any

PARTS = frozenset({"gateway", "signer", "worker"})
"""Commands whose output is a log."""

_DAMAGED = "its file is damaged: end all processes and restore a backup with `settle restore`"
_SQLITE_REPAIRS = {
    11: _DAMAGED,  # SQLITE_CORRUPT. Numbers, because sqlite3 is not loaded for every command.
    26: _DAMAGED,  # SQLITE_NOTADB.
    13: "make room on its disk, and do it again",  # SQLITE_FULL.
    8: "let this user write the file and its folder",  # SQLITE_READONLY.
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A sentence, and what to do."""

    said: str
    repair: str


def failure_of(error: Exception) -> Failure:
    """Return what to say; of a bug, where all that is known of it was written down.

    Raises:
        Exception: a bug of a part that has a log, as it is.
    """
    kind = type(error)
    module = kind.__module__.partition(".")[0]
    # By name: the libraries are loaded only where a command used them.
    if module in ("pydantic_core", "pydantic") and getattr(error, "title", "") == "Settings":
        return _setting(error)
    if module == "pydantic_settings":
        named = re.search(r'field "(\w+)"', str(error))
        variable = f"SETTLE_{named[1].upper()}" if named else "a SETTLE_ variable"
        return Failure(f"{variable} cannot be read: it is no JSON", "write it as JSON, or unset it")
    if module in ("sqlalchemy", "sqlite3", "psycopg"):
        cause = " ".join(str(getattr(error, "orig", None) or error).split())
        return Failure(f"the database cannot be used: {cause[:300]}", database_repair(error))
    if isinstance(error, OSError):
        return _file(error)
    if sys.argv[1:2] and sys.argv[1] in PARTS:
        raise error  # Its log is where it belongs.
    return Failure(
        f"this is a bug: {kind.__name__} in `settle {' '.join(sys.argv[1:3])}`",
        f"what is known of it stands in {_written_down(error)}: send it to who runs the rail;"
        " look whether the command was done before you repeat it",
    )


def database_repair(error: Exception) -> str:
    """Say what to do about what SQLAlchemy or a driver raised."""
    code = getattr(getattr(error, "orig", None) or error, "sqlite_errorcode", 0) & 0xFF
    return _SQLITE_REPAIRS.get(
        code,
        "check that it runs and that SETTLE_DATABASE_URL names it, such as"
        " postgresql://user@host:5432/name; `settle doctor` says more",
    )


def _setting(error: Any) -> Failure:
    faults = error.errors(include_url=False)
    said = [
        f"SETTLE_{'/'.join(map(str, each['loc'])).upper()}: {each['msg']}"
        f" (it is {str(each['input'])[:60]!r})"
        for each in faults
    ]
    return Failure("\n  ".join(said), "correct it in the environment, or its option")


def _file(error: OSError) -> Failure:
    cause = error.strerror or str(error)
    if error.filename is None:
        return Failure(f"the system refused: {cause}", "`settle doctor` looks at this machine")
    place = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename
    return Failure(
        f"{place}: {cause}",
        "check the path, and that this user may read and write there; SETTLE_HOME or --home"
        " says where the installation is",
    )


def _written_down(error: Exception) -> str:
    handle, path = tempfile.mkstemp(prefix="settle-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as log:
        traceback.print_exception(error, file=log)
    return path
