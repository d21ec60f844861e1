"""From a list file to a payment that waits, a person who judges, and a payment that goes on."""

import orjson
import pytest
from sqlalchemy import text

from settlement.clock import to_micros
from settlement.compliance import screening
from settlement.compliance.screening import deciding, records
from settlement.compliance.screening.deciding import HitChanged, WalletStaysListed
from settlement.compliance.screening.records import HitFilter
from settlement.errors import IllegalMove, Invalid
from settlement.settlements.screened import release_judged
from settlement.store import reading, transaction
from settlement.store.bulk import insert_rows
from tests.builders.rail import Rail
from tests.builders.three_companies import COMPANIES
from tests.compliance.screening.desk import clear, hits, listed, load

SELLER, BUYER, STRANGER = (each.name for each in COMPANIES)
OTHERS = "".join(f"Somebody Unlike{n} Elsewhere{n}\n" for n in range(3))


def test_a_new_version_stops_open_payments_of_whom_it_lists_in_its_own_commit(rail: Rail) -> None:
    worker = rail.worker()
    load(rail, listed("Nobody Known Here"))
    (key,) = rail.instructed()
    rail.tick(worker)
    assert rail.state(key) != "HELD"

    found = load(rail, listed("Nobody Known Here", BUYER))

    assert found.settlements == (key,)
    assert rail.buyer_wallet in found.wallets
    assert rail.one("SELECT COUNT(*) FROM clearance WHERE revoked_at IS NULL") == 0
    wish = rail.one(
        "SELECT wanted FROM registry_wish WHERE wallet = :wallet AND source = 'screening'",
        wallet=rail.buyer_wallet,
    )
    assert wish == "unlisted"
    rail.run_until(worker, lambda: rail.state(key) == "HELD", rounds=60)
    assert rail.paid_logs() == []
    (hit,) = hits(rail, "open")
    assert (hit.score, hit.entry_text, hit.subject_text) == (100, BUYER, BUYER)


def test_a_version_ends_clearances_also_where_the_wallet_was_to_go_already(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = rail.instructed()
    rail.tick(worker)
    with transaction(rail.engine) as session:  # Nothing changes by wanting it off the rail.
        session.connection().execute(
            text("UPDATE registry_standing SET wanted = 'unlisted', actual = 'unlisted',"
                 " differs_from_block = NULL WHERE wallet = :wallet"),
            {"wallet": rail.buyer_wallet},
        )  # fmt: skip
    alive = "SELECT COUNT(*) FROM clearance WHERE revoked_at IS NULL"
    assert rail.one(alive) == 1

    found = load(rail, listed(BUYER))

    assert found.settlements == (key,)
    assert rail.one(alive) == 0


def test_only_what_a_version_changes_is_compared_before_the_next_block(rail: Rail) -> None:
    load(rail, listed("Nobody Known Here"))
    rail.instructed()

    found = load(rail, listed("Nobody Known Here", "Other Nobody"))

    assert found.loaded.added == ("p1",)
    assert found.loaded.changed == found.loaded.removed == ()
    assert (found.counts.compared, found.counts.found) == (2, 0)
    row = rail.rows("SELECT kind, state, compared, actor FROM screening_run ORDER BY id")
    assert [tuple(each) for each in row][-2:] == [
        ("diff", "done", 2, "compliance:per_1"), ("all", "running", 0, "compliance:per_1"),
    ]  # fmt: skip


def test_a_cleared_hit_lets_the_payment_go_and_stays_cleared_until_a_side_changes(
    rail: Rail,
) -> None:
    worker = rail.worker()
    load(rail, listed(BUYER))
    (key,) = rail.instructed()
    rail.tick(worker)
    assert rail.state(key) == "HELD"
    (hit,) = hits(rail)

    clear(rail)
    rail.run_until(worker, lambda: rail.state(key) == "SETTLED", rounds=60)

    load(rail, listed(BUYER, more="A new remark about it."))
    assert [each.state for each in hits(rail)] == ["cleared"]
    with transaction(rail.engine) as session:
        screening.begin(session, actor="x", ids=rail.ids, now=rail.now)
        while screening.step(session, ids=rail.ids, now=rail.now):
            pass
    assert [each.state for each in hits(rail)] == ["cleared"]

    changed = orjson.loads(listed(BUYER))
    changed["properties"]["country"] = ["ae"]
    load(rail, orjson.dumps(changed))
    rail.instructed()
    rail.tick(worker)
    assert [each.state for each in hits(rail)] == ["open"]
    with reading(rail.engine) as session:
        moves = [each.move for each in records.history(session, hit.id)]
    assert moves == ["found", "cleared", "reopened"]


def test_a_confirmed_hit_refuses_the_payment_and_a_name_taken_off_the_list_ends_it(
    rail: Rail,
) -> None:
    worker = rail.worker()
    load(rail, listed(BUYER))
    (key,) = rail.instructed()
    rail.tick(worker)

    with transaction(rail.engine) as session:
        for each in records.hits(session, HitFilter("open")):
            deciding.confirm(session, each.id, reason="same number", actor="c:per_1", now=rail.now)
        release_judged(session, rail.now)
    rail.tick(worker)
    assert rail.state(key) == "REJECTED"
    assert "BASE-13" in rail.one("SELECT reason FROM settlement WHERE id = :id", id=key)

    load(rail, listed("Nobody Known Here"))
    rail.instructed()
    rail.tick(worker)
    assert [each.state for each in hits(rail)] == ["lapsed"]


@pytest.mark.parametrize(
    ("alias", "name"),
    (
        (BUYER, "Аль Нур Трейдинг"), (BUYER, "AL-NOOR TRADING CO."),
        (BUYER, "Al Nour Trading L.L.C."), ("Salim al-Haddad", "سليم الحداد"),
        ("Chen Guohua", "陈国华"), ("Северный Причал ООО", "SEVERNY PRICHAL"),
    ),
)  # fmt: skip
def test_a_party_is_found_by_another_spelling_or_script_of_its_name(
    rail: Rail, alias: str, name: str
) -> None:
    load(rail, listed(name))
    with transaction(rail.engine) as session:
        insert_rows(
            session, "participant_alias",
            ("id", "participant_id", "name", "kind", "live", "created_at"),
            [("pal_1", rail.companies.buyer, alias, "other", True, to_micros(rail.now))],
        )  # fmt: skip
        screening.ensure(session, [rail.companies.buyer], ids=rail.ids, now=rail.now)

    assert hits(rail), name


def test_a_listed_wallet_is_refused_whatever_its_owner_is_called(rail: Rail) -> None:
    worker = rail.worker()
    load(rail, OTHERS.encode() + rail.seller_wallet.encode())
    (key,) = rail.instructed()
    rail.tick(worker)

    assert rail.state(key) == "REJECTED"
    (hit,) = hits(rail)
    assert (hit.subject_kind, hit.subject_key, hit.score) == ("wallet", rail.seller_wallet, 100)
    with transaction(rail.engine) as session, pytest.raises(WalletStaysListed):
        deciding.clear(session, hit.id, reason="no", actor="c:per_1", now=rail.now)


def test_a_decision_needs_a_reason_and_a_hit_that_waits(rail: Rail) -> None:
    load(rail, listed(BUYER))
    with transaction(rail.engine) as session:
        screening.ensure(session, [rail.companies.buyer], ids=rail.ids, now=rail.now)
    (hit,) = hits(rail)
    for reason in ("", "  "):
        with transaction(rail.engine) as session, pytest.raises(Invalid):
            deciding.clear(session, hit.id, reason=reason, actor="c:per_1", now=rail.now)
    with transaction(rail.engine) as session, pytest.raises(HitChanged):
        deciding.clear(
            session, hit.id, reason="r", actor="c:per_1", now=rail.now, seen=("other", "sides")
        )
    clear(rail)
    with transaction(rail.engine) as session, pytest.raises(IllegalMove):
        deciding.clear(session, hit.id, reason="again", actor="c:per_1", now=rail.now)


def test_who_changes_its_name_is_compared_anew_before_it_is_paid(rail: Rail) -> None:
    worker = rail.worker()
    load(rail, listed("Completely Different Holdings"))
    (first,) = rail.instructed()
    rail.tick(worker)
    assert rail.state(first) != "HELD"
    with transaction(rail.engine) as session:
        insert_rows(
            session, "participant_alias", ("id", "participant_id", "name", "kind", "live",
            "created_at"), [("pal_1", rail.companies.seller, "Completely Different Holding",
                             "trading", True, to_micros(rail.now))],
        )  # fmt: skip
    (second,) = rail.instructed()

    rail.tick(worker)

    assert rail.state(second) == "HELD"


def test_whoever_keeps_a_wallet_s_key_is_compared_by_name(rail: Rail) -> None:
    with transaction(rail.engine) as session:
        session.connection().execute(
            text("UPDATE wallet SET kind = 'custodial', provider = :name WHERE address = :wallet"),
            {"name": "Brightwater Exchange OU", "wallet": rail.buyer_wallet},
        )
    (key,) = rail.instructed()

    found = load(rail, listed("Nobody Known Here", "BRIGHTWATER EXCHANGE"))

    assert found.settlements == (key,)
    (hit,) = hits(rail, "open")
    assert (hit.subject_kind, hit.subject_text) == ("identifier", "Brightwater Exchange OU")
    assert hit.entry_text == "BRIGHTWATER EXCHANGE"
