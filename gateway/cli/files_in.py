"""Files that the command line reads: their bytes, or their text, or their JSON.

Knows no command.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from settlement.errors import Invalid


def content_of(file: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        Invalid: there is none, or it may not be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise Invalid(
            f"{file} cannot be read: {error.strerror or error}",
            field="file", repair="check the path, and that you may read it",
        ) from error  # fmt: skip


def text_of(file: Path) -> str:
    """Return a file's text, in UTF-8.

    Raises:
        Invalid: as `content_of`, or it is no such text.
    """
    try:
        return content_of(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(
            f"{file} is no text in UTF-8: {error.reason} at byte {error.start}",
            field="file", repair="save it as UTF-8",
        ) from None  # fmt: skip


def json_of(file: Path) -> Any:
    """Return what a file holds as JSON.

    Raises:
        Invalid: as `text_of`, or it is no JSON.
    """
    try:
        return json.loads(text_of(file))
    except (ValueError, RecursionError) as error:
        raise Invalid(
            f"{file} is no JSON: {error}", field="file",
            repair="write it as JSON; the command's --help says what it holds",
        ) from None  # fmt: skip
