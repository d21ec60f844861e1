"""SQLite without its own locks, for processes in which a connection is one thread's at a time.

Every call of SQLite takes a lock of its connection, and every piece of memory is counted under
another. Neither is needed where sessions are never shared: with them a sixth of each insert and
each read goes into locks that nobody else wants (<https://www.sqlite.org/threadsafe.html>).
"""

from __future__ import annotations

import _sqlite3
import ctypes

_OK = 0
_CONFIG_MULTITHREAD = 2
_CONFIG_MEMSTATUS = 9

_settled: list[bool] = []


def leave_out_locks() -> bool:
    """Let SQLite trust this process with its connections; return whether it does.

    Said when a process starts; a second time changes nothing. Nor does it where a connection is
    open already, or where Python holds a SQLite that cannot be spoken to: all works as before then.
    """
    if _settled:  # Without its counts of memory SQLite could not tell an open connection.
        return _settled[0]
    try:
        library = ctypes.CDLL(_sqlite3.__file__)  # Finds what Python itself uses, and no other.
        library.sqlite3_memory_used.restype = ctypes.c_int64
        if library.sqlite3_memory_used():
            return False
        library.sqlite3_shutdown()
        answers = (
            library.sqlite3_config(_CONFIG_MULTITHREAD),
            library.sqlite3_config(_CONFIG_MEMSTATUS, 0),
            library.sqlite3_initialize(),
        )
    except (AttributeError, OSError):
        return False
    _settled.append(answers == (_OK, _OK, _OK))
    return _settled[0]
