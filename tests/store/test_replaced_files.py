"""An SQLite file that goes away, or is another one, under who has it open."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from settlement.store import open_engine, reading, transaction
from settlement.store.replaced import FileReplaced


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    opened = open_engine(sqlite_url)
    with transaction(opened) as session:
        session.execute(text("CREATE TABLE kept (number INTEGER)"))
    yield opened
    opened.dispose()


def file_of(engine: Engine) -> Path:
    return Path(str(engine.url.database))


def refuses(engine: Engine) -> None:
    with pytest.raises(OperationalError) as refused, transaction(engine) as session:
        session.execute(text("INSERT INTO kept VALUES (1)"))
    assert isinstance(refused.value.orig, FileReplaced)
    with pytest.raises(OperationalError, match="settle restore"), reading(engine) as session:
        session.execute(text("SELECT number FROM kept"))


@pytest.mark.parametrize("is_replaced", [False, True])
def test_nothing_is_written_into_a_file_that_is_gone_and_all_goes_on_when_it_is_back(
    engine: Engine, is_replaced: bool
) -> None:
    file, away = file_of(engine), file_of(engine).with_name("away")
    os.rename(file, away)
    if is_replaced:
        shutil.copyfile(away, file)

    refuses(engine)

    os.replace(away, file)
    with transaction(engine) as session:
        session.execute(text("INSERT INTO kept VALUES (2)"))
    with reading(engine) as session:
        assert session.execute(text("SELECT number FROM kept")).scalars().all() == [2]
