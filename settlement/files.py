"""Which file it is that a process has open. Knows no database: the signer loads none."""

from __future__ import annotations

import os


def identity(file: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Return what tells a file from every other one; None where there is none."""
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_dev, status.st_ino
