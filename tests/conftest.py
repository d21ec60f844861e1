"""What every test may ask for: a fresh, migrated database on each engine that we support.

A test that names `engine` or `database_url` runs twice, on SQLite and on PostgreSQL.
"""

import gc
import ipaddress
import itertools
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine

from settlement.store import migrate, open_engine
from tests.postgres import PostgresServer, binaries_are_present, fast_folder, start_postgres

ROOT = Path(__file__).resolve().parents[1]
ENGINES = ("sqlite", "postgres")
MIGRATED = "migrated"

# The same examples in every run: a red test must be red again.
settings.register_profile("fixed", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("fixed")

# A developer's own settings must not point a test at a developer's own database.
for _name in [name for name in os.environ if name.startswith("SETTLE_")]:
    del os.environ[_name]

# Tests start hundreds of processes. Without this each may have to compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("PYTHONPYCACHEPREFIX", str(ROOT / ".setup" / "bytecode"))
sys.dont_write_bytecode, sys.pycache_prefix = False, os.environ["PYTHONPYCACHEPREFIX"]

# No test cuts the power: none has to wait until a disk has flushed what it commits.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", fast_folder())

# As it is set for small programs, the collector takes an eighth of a run.
gc.set_threshold(50_000)

LONG_FIRST = ("simulation", "stories", "sender", "registry", "reconciliation", "verify")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let files that take long begin first: whoever is last at work has a short one."""
    places = {ROOT / "tests" / name: place for place, name in enumerate(LONG_FIRST)}

    def place(item: pytest.Item) -> int:
        return min((places[each] for each in item.path.parents if each in places), default=99)

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Take what stays for the whole run out of the collector's sight."""
    gc.collect()
    gc.freeze()


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database of this test's own."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=ENGINES)
def bare_database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database that nobody has migrated."""
    return str(request.getfixturevalue(f"bare_{request.param}_url"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a migrated, empty database of this test's own."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database."""
    file = tmp_path / "settle.sqlite3"
    shutil.copyfile(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture
def bare_sqlite_url(tmp_path: Path) -> str:
    """An SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'bare.sqlite3'}"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A migrated PostgreSQL database."""
    yield from _lent(postgres_server, postgres_template)


@pytest.fixture
def bare_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database without a table."""
    yield from _lent(postgres_server, "template0")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real server, started by the first test that asks and stopped after the last."""
    if not binaries_are_present():
        pytest.skip("no PostgreSQL binaries for this system")
    server = start_postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a migrated database that nobody is connected to."""
    postgres_server.create(MIGRATED)
    _migrate(postgres_server.url(MIGRATED))
    return MIGRATED


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, all of it in that one file."""
    file = tmp_path_factory.mktemp("template") / "migrated.sqlite3"
    _migrate(f"sqlite:///{file}")
    # The last connection has closed: SQLite has moved the write-ahead log into the file.
    assert not file.with_name(f"{file.name}-wal").exists()
    return file


_numbers = itertools.count(1)


def _lent(server: PostgresServer, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    server.create(name, template=template)
    yield server.url(name)
    # At once, not at the end: some hundred of them would fill a small disk.
    server.drop(name)


def _migrate(url: str) -> None:
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()


def _refuse_the_network(event: str, arguments: tuple[object, ...]) -> None:
    """Let no test leave this machine, whatever library it does it with."""
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and not _is_loopback(str(address[0])):
            raise AssertionError(f"a test connects to {address}: only loopback is allowed")
    elif event == "socket.getaddrinfo" and not _is_loopback(str(arguments[0] or "localhost")):
        raise AssertionError(f"a test looks up {arguments[0]}: only loopback is allowed")


def _is_loopback(host: str) -> bool:
    if host in ("localhost", "0.0.0.0", "::", socket.gethostname()):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


sys.addaudithook(_refuse_the_network)
