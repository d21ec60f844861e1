"""Where a password comes from: a file descriptor or a prompt, never the command line.

Keeps none.
"""

from __future__ import annotations

import getpass
import os


def read_password(password_fd: int | None, prompt: str = "password of the key file: ") -> str:
    """Return the first line of a file descriptor, or ask the person at the terminal."""
    if password_fd is None:
        return getpass.getpass(prompt)
    with os.fdopen(password_fd) as stream:
        return stream.readline().rstrip("\n")
