"""The journal as beancount and hledger files: accepted by their tools, and read back the same."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest
from beancount import loader
from beancount.core import inventory, realization
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from scripts.benches._journal_world import write_journal
from settlement import ledger
from settlement.ledger import accounts, exports, periods
from settlement.ledger.exports import names
from settlement.ledger.exports.journal_file import _clean_cuts
from settlement.store import open_engine, reading, transaction
from tests.builders.ledger import NOW

ENTRIES = 5000
SOME = 400
DIALECTS = ("beancount", "hledger")


@pytest.fixture(scope="module")
def large(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A journal of 5,000 entries of every kind."""
    file = tmp_path_factory.mktemp("export") / "settle.sqlite3"
    shutil.copyfile(sqlite_template, file)
    opened = open_engine(f"sqlite:///{file}")
    write_journal(opened, ENTRIES, seed=11)
    yield opened
    opened.dispose()


def written(engine: Engine, dialect: str, **options: object) -> str:
    with reading(engine) as session:
        if dialect == "beancount":
            return "".join(exports.beancount(session, **options))  # type: ignore[arg-type]
        options.setdefault("final_block", 10**9)
        return "".join(exports.hledger(session, **options))  # type: ignore[arg-type]


def read(content: str) -> exports.ReadBack:
    return exports.read_back(content.splitlines(keepends=True))


def beancount_says(content: str) -> tuple[Sequence[object], dict[str, int]]:
    """Return the errors that beancount finds, and the balance of every account."""
    found, errors, _options = loader.load_string(content)
    tree = realization.realize(found, compute_balance=True)
    return errors, {
        names.account_code(each.account): _minor(each.balance)
        for each in realization.iter_children(tree, leaf_only=True)
        if each.account
    }


def _minor(balance: inventory.Inventory) -> int:
    amounts = [position.units.number for position in balance]
    assert len(amounts) <= 1
    return int(str(amounts[0]).replace(".", "")) if amounts else 0


def hledger_says(content: str, folder: Path) -> str:
    """Return what `hledger check --strict` complains of; nothing if it is content."""
    if shutil.which("hledger") is None:
        pytest.skip("not run: no hledger")
    file = folder / "books.journal"
    file.write_text(content)
    ran = subprocess.run(
        ["hledger", "--file", str(file), "check", "--strict"], capture_output=True, text=True
    )
    return ran.stderr if ran.returncode else ""


def in_ledger(engine: Engine) -> dict[str, int]:
    with reading(engine) as session:
        trial = ledger.trial_balance(session)
        codes = [row.code for row in trial.rows]
        return ledger.balances(session, codes)


def money_alone(sums: dict[str, int]) -> dict[str, int]:
    return {code: minor for code, minor in sums.items() if minor}


def test_beancount_accepts_the_journal_and_has_the_same_balances(large: Engine) -> None:
    content = written(large, "beancount")

    errors, sums = beancount_says(content)

    assert errors == []
    assert money_alone(sums) == money_alone(in_ledger(large))
    assert content.count(" balance ") > 1000
    assert content.rpartition("; closing")[2].count(" balance ") == len(in_ledger(large))


def test_hledger_accepts_the_journal_with_balances_at_100_blocks(
    large: Engine, tmp_path: Path
) -> None:
    content = written(large, "hledger")

    assert hledger_says(content, tmp_path) == ""
    assert content.count("* block end") == 100
    assert content.rpartition("* closing")[2].count(" = ") == len(in_ledger(large))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_read_back_a_file_has_the_same_balances(large: Engine, dialect: str) -> None:
    found = read(written(large, dialect))

    assert money_alone(found.balances) == money_alone(in_ledger(large))
    assert found.assertions > 100
    with reading(large) as session:
        compared = exports.compare(session, found)
        assert compared.agrees
        assert found.head == ledger.head(session)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_month_opens_with_what_was_before_it(large: Engine, dialect: str, tmp_path: Path) -> None:
    days = {"first": date(2026, 9, 20), "last": date(2026, 9, 25)}
    content = written(large, dialect, **days)

    found = read(content)

    assert "opening" in content
    with reading(large) as session:
        by_then = ledger.balances(session, list(found.balances), on=days["last"])
        assert exports.compare(session, found).agrees
    assert found.balances == by_then
    if dialect == "beancount":
        assert beancount_says(content)[0] == []
    else:
        assert hledger_says(content, tmp_path) == ""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_empty_journal_is_a_file_too(engine: Engine, dialect: str) -> None:
    content = written(engine, dialect)

    assert read(content).balances == {}
    if dialect == "beancount":
        assert beancount_says(content)[0] == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_both_databases_write_and_compare_alike(engine: Engine, dialect: str) -> None:
    write_journal(engine, SOME, seed=3)
    content = written(engine, dialect)

    found = read(content)
    with transaction(engine) as session:
        ledger.reverse(session, [found.head.seq], NOW, "what comes later is not in the file")

    with reading(engine) as session:
        assert exports.compare(session, found).agrees


def test_what_a_closed_period_put_behind_a_block_is_asserted_nowhere_wrong(
    engine: Engine, tmp_path: Path
) -> None:
    write_journal(engine, SOME, seed=5)
    with transaction(engine) as session:
        asked = periods.ask_to_close(session, "2026-08-20_2026-09-01", actor="a", now=NOW)
        periods.approve_close(
            session, asked.id, trial_sha256=asked.trial_sha256, actor="b", now=NOW
        )
        ledger.reverse(session, [7, 12, 30], NOW, "booked in error")

    content = written(engine, "hledger")

    assert hledger_says(content, tmp_path) == ""
    assert read(content).balances
    assert beancount_says(written(engine, "beancount"))[0] == []


def test_blocks_whose_past_is_behind_them_in_the_file_are_not_asserted() -> None:
    blocks = [
        (1, "2026-10-01", "2026-10-01"),
        (2, "2026-10-01", "2026-11-01"),
        (3, "2026-10-02", "2026-10-02"),
        (4, "2026-11-01", "2026-11-01"),
    ]

    assert _clean_cuts([tuple(block) for block in blocks]) == [
        (1, "2026-10-01"),
        (4, "2026-11-01"),
    ]


def _edits(content: str) -> Iterable[tuple[str, str]]:
    """Yield what went wrong, and the file with it."""
    lines = content.splitlines(keepends=True)
    starts = [place for place, line in enumerate(lines) if " * " in line]
    posted = [
        place for place, line in enumerate(lines)
        if line.startswith("  ") and ("USD" in line or "EUR" in line) and ":" in line
        and " balance " not in line and " = " not in line and '"0' not in line
    ]  # fmt: skip
    place = posted[10]
    minus = lines[place].replace("  -", "  ", 1)
    changed = minus if minus != lines[place] else "  -".join(lines[place].rsplit("  ", 1))
    yield "a sign", "".join([*lines[:place], changed, *lines[place + 1 :]])
    one_more = lines[place].replace("1", "2", 1)
    yield "a digit or a name", "".join([*lines[:place], one_more, *lines[place + 1 :]])
    yield "an entry is missing", "".join([*lines[: starts[9]], *lines[starts[10] :]])
    twice = lines[starts[9] : starts[10]]
    yield "an entry stands twice", "".join([*lines[: starts[10]], *twice, *lines[starts[10] :]])
    yield "the end is missing", "".join(lines[:-1])
    yield "it is cut", content[: len(content) // 2]
    yield "something is added", content + "; nothing\n"
    yield "a strange line", "".join([*lines[: starts[9]], "include x\n", *lines[starts[9] :]])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_file_that_was_changed_is_refused_with_its_line(engine: Engine, dialect: str) -> None:
    write_journal(engine, SOME, seed=3)
    content = written(engine, dialect)

    for what, changed in _edits(content):
        assert changed != content, what
        with pytest.raises((exports.FileNotSound, exports.NotExported)):
            read(changed)
            pytest.fail(f"{what} was not seen")


def test_a_file_of_another_journal_does_not_agree(engine: Engine, large: Engine) -> None:
    write_journal(engine, SOME, seed=3)
    found = read(written(large, "hledger"))

    with reading(engine) as session:
        compared = exports.compare(session, found)

    assert not compared.is_same_journal
    assert compared.differences
    assert not compared.agrees


@given(
    kind=st.sampled_from(sorted(accounts.KINDS)),
    owner=st.text(st.characters(codec="utf-8", exclude_characters=":"), min_size=1, max_size=12),
    unit=st.text(st.characters(codec="utf-8", exclude_characters=":"), min_size=1, max_size=3),
)
def test_every_account_has_a_name_that_leads_back_to_it(kind: str, owner: str, unit: str) -> None:
    code = f"{kind}:{owner}:{unit}"
    try:
        name = names.account_name(code)
    except exports.NotExported:
        assert len(unit.encode()) > 11
        return

    assert names.account_code(name) == code
    parts = name.split(":")
    assert all(part[0].isascii() and (part[0].isupper() or part[0].isdigit()) for part in parts)
    assert name.isascii()


def test_every_kind_of_account_has_a_root() -> None:
    assert set(names.KIND_NAMES) == accounts.KINDS
    assert len(set(names.KIND_NAMES.values())) == len(names.KIND_NAMES)
    assert names.account_code("Equity:Outside:TUSD") == "outside:TUSD"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Assets:Wallet",
        "Assets:Wallet:TUSD",
        "Assets:Nothing:A:B",
        "Assets:Wallet:a:B",
        "Assets:Wallet:A-0:B",
        "Assets:Wallet:A-FF:B",
        "Assets:Wallet:Xa:B",
        "Assets:Coin:A:X0G",
    ],
)
def test_a_name_that_no_export_writes_is_refused(name: str) -> None:
    with pytest.raises(exports.NotExported):
        names.account_code(name)


def test_a_unit_that_the_tools_cannot_take_is_refused() -> None:
    with pytest.raises(exports.NotExported):
        names.unit_name("a" * 12)
