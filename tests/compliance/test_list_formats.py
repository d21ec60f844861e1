"""A file in another format than the list in force is asked about: it may be no list at all."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from settlement.clock import counted_ids
from settlement.compliance import lists
from settlement.store import reading, transaction
from settlement.store.bulk import rows
from tests.compliance.list_files import files

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PAGE = "Too many requests. Please try again later.\n"


def load(
    engine: Engine,
    content: str,
    *,
    name: str = "ofac",
    accept_format: bool = False,
    accept_shrinking: bool = False,
) -> lists.Loaded:
    with transaction(engine) as session:
        ((before,),) = rows(session, "SELECT COUNT(*) FROM list_version")
        return lists.load(
            session, name=name, content=content.encode(), ids=counted_ids(1 + 1000 * before),
            now=NOW, accept_format=accept_format, accept_shrinking=accept_shrinking,
        )  # fmt: skip


def in_force(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return [version.id for version in lists.versions(session)]


def test_a_page_of_a_web_server_does_not_take_a_lists_place(engine: Engine) -> None:
    first = load(engine, files.OFAC_CSV)

    for accept_shrinking in (False, True):
        with pytest.raises(lists.ListFormatDiffers) as refused:
            load(engine, PAGE, accept_shrinking=accept_shrinking)

    assert "ofac-csv" in str(refused.value) and "plain" in str(refused.value)
    assert refused.value.field == "file"
    assert "--format accept" in refused.value.repair
    assert in_force(engine) == [first.version_id]


def test_another_format_is_taken_where_that_is_said(engine: Engine) -> None:
    load(engine, files.SDN_XML)

    loaded = load(engine, files.OFAC_CSV, accept_format=True)

    assert (loaded.format, loaded.added) == ("ofac-csv", ("101",))
    assert load(engine, files.SDN_CSV + files.ALT_CSV).format == "ofac-csv"


def test_who_takes_another_format_is_still_asked_about_what_it_lacks(engine: Engine) -> None:
    load(engine, files.OFAC_CSV)

    with pytest.raises(lists.ListShrinks):
        load(engine, files.EU_XML, accept_format=True)

    assert load(engine, files.EU_XML, accept_format=True, accept_shrinking=True).removed


def test_each_list_has_a_format_of_its_own(engine: Engine) -> None:
    load(engine, files.OFAC_CSV)
    load(engine, files.EU_XML, name="eu")

    assert len(in_force(engine)) == 2


def test_what_was_stored_before_formats_were_is_replaced_by_any(engine: Engine) -> None:
    load(engine, "A Name\n")
    with transaction(engine) as session:
        rows(session, "UPDATE list_version SET stats = '{}', format = 'plain' RETURNING id")

    assert load(engine, files.OFAC_CSV).format == "ofac-csv"
