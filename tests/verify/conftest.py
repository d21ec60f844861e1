"""A healthy world on each database, built once, copied for each test, and hands to harm a copy."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from settlement.ledger.entries import Entry
from settlement.ledger.journal import FIRST_PREV_HASH, entry_hash
from settlement.store import open_engine
from settlement.verify.__main__ import main
from tests.postgres import PostgresServer
from tests.verify.served import ServedChain, served, truthful
from tests.verify.world import World, a_day, a_world

_numbers = itertools.count(1)
CHECKS_MAX = 10


@dataclass(frozen=True, slots=True)
class Healthy:
    """A world at the end of its day, its chain on a port."""

    world: World
    node: ServedChain
    database: str
    """A file, or a database's name: copied, never touched."""


@dataclass
class Patient:
    """A copy of the healthy database that may be harmed, with the node of the same world."""

    url: str
    node: ServedChain
    world: World
    capsys: pytest.CaptureFixture[str]

    def verify(self, *flags: str) -> tuple[int, dict[str, Any]]:
        """Run the checker; return its exit code and answer."""
        self.capsys.readouterr()
        code = main(["--database", self.url, "--rpc", self.node.url, "--json", *flags])
        printed = self.capsys.readouterr()
        return code, json.loads(printed.out) if printed.out else {"error": printed.err}

    def red(self, *flags: str) -> set[str]:
        """Return the names of the checks that are violated."""
        _, answer = self.verify(*flags)
        return {check["name"] for check in answer["checks"] if check["ok"] is False}

    def harm(self, *statements: str) -> None:
        """Change what nobody may change: triggers, foreign keys and checks do not hold here."""
        if self.url.startswith("sqlite"):
            _harm_sqlite(self.url.removeprefix("sqlite:///"), statements)
        else:
            _harm_postgres(self.url, statements)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return what a query gives."""
        engine = open_engine(self.url)
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.exec_driver_sql(statement)]
        engine.dispose()
        return found

    def value(self, statement: str) -> Any:
        """Return the one value of a query."""
        return self.rows(statement)[0][0]

    def rehash(self) -> None:
        """Make the chain of hashes right again, as a clever forger would."""
        lines: dict[int, list[tuple[str, str, int]]] = {}
        for seq, code, phase, amount in self.rows(
            "SELECT p.entry_seq, a.code, p.phase, p.amount_minor FROM posting p"
            " JOIN account a ON a.id = p.account_id ORDER BY p.entry_seq, p.line"
        ):
            lines.setdefault(seq, []).append((code, phase, amount))
        before, changes = FIRST_PREV_HASH, []
        for seq, kind, source, *fields, booked_at in self.rows(
            "SELECT seq, kind, source_key, invoice_id, settlement_id, block_number, block_hash,"
            " tx_hash, reverses_seq, reason, value_date, booked_at FROM journal_entry ORDER BY seq"
        ):
            entry = Entry(kind, source, (), *fields)
            digest = entry_hash(before, seq, entry, booked_at, lines.get(seq, []))
            changes.append(
                f"UPDATE journal_entry SET prev_hash = '{before}', hash = '{digest}'"
                f" WHERE seq = {seq}"
            )
            before = digest
        self.harm(*changes)


@pytest.fixture(scope="session")
def healthy_sqlite(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Healthy]:
    folder = tmp_path_factory.mktemp("healthy")
    file = folder / "healthy.sqlite3"
    shutil.copyfile(sqlite_template, file)
    yield from _healthy(f"sqlite:///{file}", str(file), folder)


@pytest.fixture(scope="session")
def healthy_postgres(
    postgres_server: PostgresServer,
    postgres_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Healthy]:
    name = f"healthy_{next(_numbers)}"
    postgres_server.create(name, template=postgres_template)
    folder = tmp_path_factory.mktemp("healthy")
    yield from _healthy(postgres_server.url(name), name, folder)


@pytest.fixture(params=["sqlite", "postgres"])
def patient(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Patient]:
    """A copy of the healthy world on each database."""
    healthy: Healthy = request.getfixturevalue(f"healthy_{request.param}")
    healthy.node.twist = truthful
    if request.param == "sqlite":
        file = tmp_path / "patient.sqlite3"
        shutil.copyfile(healthy.database, file)
        yield Patient(f"sqlite:///{file}", healthy.node, healthy.world, capsys)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"patient_{next(_numbers)}"
    server.create(name, template=healthy.database)
    yield Patient(server.url(name), healthy.node, healthy.world, capsys)
    server.drop(name)


def _healthy(url: str, database: str, folder: Path) -> Iterator[Healthy]:
    engine = open_engine(url)
    world = a_world(engine, folder)
    a_day(world)
    world.close()
    engine.dispose()  # Nobody may be connected to a database that is copied.
    with served(world.chain) as node:
        yield Healthy(world, node, database)


def _harm_sqlite(file: str, statements: tuple[str, ...]) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall()
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute("BEGIN")
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        changed = connection.execute(statement).rowcount
        assert changed, f"nothing was harmed by {statement}"
    for _, create in triggers:
        connection.execute(create)
    connection.execute("COMMIT")
    connection.close()


def _harm_postgres(url: str, statements: tuple[str, ...]) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            changed = _changed(connection, statement)
            assert changed, f"nothing was harmed by {statement}"


def _changed(connection: psycopg.Connection[tuple[object, ...]], statement: str) -> int:
    """Run a statement, without the checks that stand in its way; SQLite ignores all of them."""
    for _check in range(CHECKS_MAX):
        try:
            with connection.transaction():
                return connection.execute(statement).rowcount
        except psycopg.errors.CheckViolation as error:
            table, check = error.diag.table_name, error.diag.constraint_name
            assert table is not None and check is not None, "a check has a name and a table"
            connection.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                    sql.Identifier(table), sql.Identifier(check)
                )
            )
    raise AssertionError(f"more than {CHECKS_MAX} checks stand in the way of {statement}")
