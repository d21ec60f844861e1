"""What a person types about accounts, periods and the journal's files."""

from pathlib import Path

import pytest

from settlement import ledger
from settlement.ledger import Claim, entries
from settlement.store import transaction
from tests.gateway.cli.conftest import Desk


@pytest.fixture
def booked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A claim of a past month; the database is the one that commands read themselves."""
    monkeypatch.setenv("SETTLE_DATABASE_URL", str(desk.rail.engine.url))
    companies = desk.rail.companies
    claim = Claim("inv_1", companies.seller, companies.buyer, "EUR", 119000, "2026-09-15")
    with transaction(desk.rail.engine) as session:
        ledger.post(session, [entries.accept(claim)], desk.rail.now)
    return desk


def test_accounts_are_listed_shown_stated_and_watched(booked: Desk) -> None:
    code = f"receivable:{booked.rail.companies.seller}:EUR"

    assert code in [each["code"] for each in booked.json("account", "list", "--kind", "receivable")]
    assert booked.json("account", "show", code)["plus_means"] == "what buyers owe"
    stated = booked.json("account", "statement", code, "2026-09-01", "2026-09-30")
    assert (stated["basis"], stated["opening"], stated["closing"]) == ("value", "0.00", "1190.00")
    told = booked.settle("account", "statement", code, "2026-09-01", "2026-09-30").out
    assert "movements  1190.00 in 1 lines" in told
    made = booked.json("account", "watch", "receivable:*", "--name", "claims", "--upper", "1")
    assert [each["id"] for each in booked.json("account", "monitors")] == [made["id"]]
    assert booked.json("account", "unwatch", made["id"])["retired_at"]
    assert booked.settle("account", "show", "receivable:nobody:EUR").code == 1
    assert "use one of" in booked.settle("account", "list", "--kind", "purse").err


def test_a_period_is_closed_by_two(booked: Desk) -> None:
    asked = booked.json("period", "close", "2026-09")
    words = ("period", "approve", "2026-09", "--trial", asked["trial_sha256"])

    assert "2026-09 --trial" in booked.settle("period", "close", "2026-09").err
    assert "cannot approve it" in booked.settle(*words).err
    assert booked.json(*words, who="approver")["state"] == "closed"
    assert booked.json("period", "show", "2026-09")["state"] == "closed"
    assert [each["id"] for each in booked.json("period", "list")] == ["2026-09"]


@pytest.mark.parametrize("dialect", ["beancount", "hledger"])
def test_the_journal_goes_out_for_accounting_tools_and_is_checked(
    booked: Desk, dialect: str, tmp_path: Path
) -> None:
    file = tmp_path / "books"

    assert booked.type("export", "--format", dialect, "-o", str(file)).code == 0
    checked = booked.type("export", "check", str(file))
    assert (checked.code, "have the balances of this journal" in checked.out) == (0, True)
    assert booked.type("export", "check", str(file), "--json").json["agrees"]
    content = file.read_text()
    file.write_text(content.replace("1190.00", "1190.01", 1))
    one_place = booked.type("export", "check", str(file))
    assert (one_place.code, "line" in one_place.err) == (1, True)
    file.write_text(content.replace("1190.00", "1190.01"))
    everywhere = booked.type("export", "check", str(file))
    assert (everywhere.code, "119001 in the file, 119000 here" in everywhere.out) == (1, True)
    assert booked.type("export", "check", str(tmp_path / "none")).code == 1
    assert booked.type("export", "invoices", "--format", dialect).code == 1
    assert booked.type("export", "journal", str(file)).code == 1
