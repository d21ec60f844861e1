"""Where a password comes from: a file descriptor or a prompt, never the command line.

Keeps none.
"""

from __future__ import annotations

import getpass
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from settlement.errors import Invalid, NotFound

if TYPE_CHECKING:
    from settlement.chain.signing import KeyPair


def read_password(password_fd: int | None, prompt: str = "password of the key file: ") -> str:
    """Return the first line of a file descriptor, or ask the person at the terminal.

    Raises:
        Invalid: nothing can be read there, or there is no terminal to ask at.
    """
    if password_fd is None:
        return _asked(prompt)
    try:
        with os.fdopen(password_fd, encoding="utf-8") as stream:
            return stream.readline().rstrip("\n")
    except (OSError, ValueError) as error:
        raise Invalid(
            f"no password can be read from the descriptor {password_fd}: {error}",
            field="--password-fd",
            repair="open one for the command, such as: --password-fd 3 3<FILE",
        ) from None


def unlocked(keystore: Path, password_fd: int | None) -> KeyPair:
    """Return the key of a key file; the password is asked for once the file is there.

    Raises:
        NotFound: there is no such file.
        Refused: as `read_password` and `open_key`.
    """
    from settlement.chain.keystore import open_key

    if not keystore.is_file():
        raise NotFound("key file", str(keystore))
    return open_key(keystore, read_password(password_fd))


def _asked(prompt: str) -> str:
    with warnings.catch_warnings():
        # Without a terminal the password would be seen as it is typed: not asked for at all.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt)
        except (getpass.GetPassWarning, EOFError):
            raise Invalid(
                "a password is needed, and there is no terminal to ask for it at",
                field="--password-fd",
                repair="give it through a descriptor, such as: --password-fd 3 3<FILE",
            ) from None
