"""A proxy before PostgreSQL's socket that cuts a line between a COMMIT and its answer.

The server has committed, and the client will never hear of it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_SOCKET = ".s.PGSQL.5432"
_COMMIT = b"COMMIT\0"  # With its end: BEGIN speaks of READ COMMITTED.


@dataclass
class CuttingProxy:
    """`cut_at` counts the COMMITs that are still to pass; at 1 the next one is cut. 0: none."""

    server: Path
    folder: Path
    cut_at: int = 0
    cuts: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_UNIX))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, url: str) -> str:
        """The same database, through this proxy."""
        return f"{url.rpartition('host=')[0]}host={self.folder}"

    def start(self) -> None:
        self._listener.bind(str(self.folder / _SOCKET))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self.server / _SOCKET))
            threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        is_cut, answered = threading.Event(), threading.Event()

        def answers() -> None:
            with contextlib.suppress(OSError):
                while data := server.recv(1 << 16):
                    if is_cut.is_set():
                        break  # The server has done it, and nobody will hear of it.
                    client.sendall(data)
            answered.set()

        threading.Thread(target=answers, daemon=True).start()
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                if _COMMIT in data and self._is_to_cut():
                    is_cut.set()
                    server.sendall(data)
                    answered.wait(timeout=30)
                    break
                server.sendall(data)
        for line in (client, server):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _is_to_cut(self) -> bool:
        with self._lock:
            if not self.cut_at:
                return False
            self.cut_at -= 1
            if self.cut_at:
                return False
            self.cuts += 1
            return True


@contextmanager
def a_cutting_proxy(server: Path, folder: Path) -> Iterator[CuttingProxy]:
    """A proxy before the socket in `server`, listening in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    proxy = CuttingProxy(server, folder)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
