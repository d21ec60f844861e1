"""From a list file to a payment that waits, a person who judges, and a payment that goes on."""

from collections.abc import Sequence

import orjson
import pytest

from settlement.clock import to_micros
from settlement.compliance import lists, screening
from settlement.compliance.screening import deciding, records, rounds
from settlement.compliance.screening.deciding import HitChanged, WalletStaysListed
from settlement.compliance.screening.exposure import exposures
from settlement.compliance.screening.loading import InForce
from settlement.compliance.screening.records import HitFilter
from settlement.errors import IllegalMove, Invalid
from settlement.settlements.screened import release_judged
from settlement.store import reading, transaction
from settlement.store.bulk import insert_rows
from tests.builders.rail import Rail
from tests.builders.three_companies import COMPANIES

SELLER, BUYER, STRANGER = (each.name for each in COMPANIES)
OTHERS = "".join(f"Somebody Unlike{n} Elsewhere{n}\n" for n in range(3))


def _listed(*names: str, more: str = "") -> bytes:
    """A list in OpenSanctions' form: entries p0, p1, … of these names."""
    return b"\n".join(
        orjson.dumps(
            {
                "id": f"p{number}", "schema": "LegalEntity", "target": True,
                "properties": {"name": [name], "notes": [more] if more else []},
            }
        )
        for number, name in enumerate(names)
    )  # fmt: skip


def _load(rail: Rail, content: bytes, name: str = "own") -> InForce:
    with transaction(rail.engine) as session:
        return screening.put_in_force(
            session, name=name, content=content, ids=rail.ids, now=rail.now,
            actor="compliance:per_1",
        )  # fmt: skip


def _hits(rail: Rail, state: str = "") -> Sequence[records.Hit]:
    """Those on names and wallets: each company's own holding has a name like it."""
    with reading(rail.engine) as session:
        found = records.hits(session, HitFilter(state))
    return [each for each in found if each.subject_kind != "owner"]


def _clear(rail: Rail) -> None:
    with transaction(rail.engine) as session:
        for hit in records.hits(session, HitFilter("open")):
            deciding.clear(
                session, hit.id, reason="another one", actor="compliance:per_1", now=rail.now
            )
        release_judged(session, rail.now)


def test_a_new_version_stops_open_payments_of_whom_it_lists_in_its_own_commit(rail: Rail) -> None:
    worker = rail.worker()
    _load(rail, _listed("Nobody Known Here"))
    (key,) = rail.instructed()
    rail.tick(worker)
    assert rail.state(key) != "HELD"

    found = _load(rail, _listed("Nobody Known Here", BUYER))

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
    (hit,) = _hits(rail, "open")
    assert (hit.score, hit.entry_text, hit.subject_text) == (100, BUYER, BUYER)


def test_only_what_a_version_changes_is_compared_before_the_next_block(rail: Rail) -> None:
    _load(rail, _listed("Nobody Known Here"))
    rail.instructed()

    found = _load(rail, _listed("Nobody Known Here", "Other Nobody"))

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
    _load(rail, _listed(BUYER))
    (key,) = rail.instructed()
    rail.tick(worker)
    assert rail.state(key) == "HELD"
    (hit,) = _hits(rail)

    _clear(rail)
    rail.run_until(worker, lambda: rail.state(key) == "SETTLED", rounds=60)

    _load(rail, _listed(BUYER, more="A new remark about it."))
    assert [each.state for each in _hits(rail)] == ["cleared"]
    with transaction(rail.engine) as session:
        screening.begin(session, actor="x", ids=rail.ids, now=rail.now)
        while screening.step(session, ids=rail.ids, now=rail.now):
            pass
    assert [each.state for each in _hits(rail)] == ["cleared"]

    changed = orjson.loads(_listed(BUYER))
    changed["properties"]["country"] = ["ae"]
    _load(rail, orjson.dumps(changed))
    rail.instructed()
    rail.tick(worker)
    assert [each.state for each in _hits(rail)] == ["open"]
    with reading(rail.engine) as session:
        moves = [each.move for each in records.history(session, hit.id)]
    assert moves == ["found", "cleared", "reopened"]


def test_a_confirmed_hit_refuses_the_payment_and_a_name_taken_off_the_list_ends_it(
    rail: Rail,
) -> None:
    worker = rail.worker()
    _load(rail, _listed(BUYER))
    (key,) = rail.instructed()
    rail.tick(worker)

    with transaction(rail.engine) as session:
        for each in records.hits(session, HitFilter("open")):
            deciding.confirm(session, each.id, reason="same number", actor="c:per_1", now=rail.now)
        release_judged(session, rail.now)
    rail.tick(worker)
    assert rail.state(key) == "REJECTED"
    assert "BASE-13" in rail.one("SELECT reason FROM settlement WHERE id = :id", id=key)

    _load(rail, _listed("Nobody Known Here"))
    rail.instructed()
    rail.tick(worker)
    assert [each.state for each in _hits(rail)] == ["lapsed"]


@pytest.mark.parametrize(
    ("alias", "listed"),
    (
        (BUYER, "Аль Нур Трейдинг"), (BUYER, "AL-NOOR TRADING CO."),
        (BUYER, "Al Nour Trading L.L.C."), ("Salim al-Haddad", "سليم الحداد"),
        ("Chen Guohua", "陈国华"), ("Северный Причал ООО", "SEVERNY PRICHAL"),
    ),
)  # fmt: skip
def test_a_party_is_found_by_another_spelling_or_script_of_its_name(
    rail: Rail, alias: str, listed: str
) -> None:
    _load(rail, _listed(listed))
    with transaction(rail.engine) as session:
        insert_rows(
            session, "participant_alias",
            ("id", "participant_id", "name", "kind", "live", "created_at"),
            [("pal_1", rail.companies.buyer, alias, "other", True, to_micros(rail.now))],
        )  # fmt: skip
        screening.ensure(session, [rail.companies.buyer], ids=rail.ids, now=rail.now)

    assert _hits(rail), listed


def test_a_listed_wallet_is_refused_whatever_its_owner_is_called(rail: Rail) -> None:
    worker = rail.worker()
    _load(rail, OTHERS.encode() + rail.seller_wallet.encode())
    (key,) = rail.instructed()
    rail.tick(worker)

    assert rail.state(key) == "REJECTED"
    (hit,) = _hits(rail)
    assert (hit.subject_kind, hit.subject_key, hit.score) == ("wallet", rail.seller_wallet, 100)
    with transaction(rail.engine) as session, pytest.raises(WalletStaysListed):
        deciding.clear(session, hit.id, reason="no", actor="c:per_1", now=rail.now)


def test_a_decision_needs_a_reason_and_a_hit_that_waits(rail: Rail) -> None:
    _load(rail, _listed(BUYER))
    with transaction(rail.engine) as session:
        screening.ensure(session, [rail.companies.buyer], ids=rail.ids, now=rail.now)
    (hit,) = _hits(rail)
    for reason in ("", "  "):
        with transaction(rail.engine) as session, pytest.raises(Invalid):
            deciding.clear(session, hit.id, reason=reason, actor="c:per_1", now=rail.now)
    with transaction(rail.engine) as session, pytest.raises(HitChanged):
        deciding.clear(
            session, hit.id, reason="r", actor="c:per_1", now=rail.now, seen=("other", "sides")
        )
    _clear(rail)
    with transaction(rail.engine) as session, pytest.raises(IllegalMove):
        deciding.clear(session, hit.id, reason="again", actor="c:per_1", now=rail.now)


def _owners(rail: Rail, shares: Sequence[tuple[str, int]]) -> None:
    """Give the buyer owners: natural persons of these names and shares."""
    at = to_micros(rail.now)
    with transaction(rail.engine) as session:
        for number, (name, share_bp) in enumerate(shares):
            insert_rows(
                session, "natural_person",
                ("id", "key_id", "name", "country", "salt", "digest", "created_at"),
                [(f"nat_{number}", f"k{number}", name, "AE", "s", "d", at)],
            )  # fmt: skip
            insert_rows(
                session, "participant_owner",
                ("id", "participant_id", "role", "share_bp", "person_id", "live", "created_at"),
                [(f"own_{number}", rail.companies.buyer, "owner", share_bp, f"nat_{number}", True,
                  at)],
            )  # fmt: skip


@pytest.mark.parametrize(("first", "second"), ((2_490, 2_500), (2_500, 2_500), (2_510, 2_500)))
def test_listed_owners_are_added_up_once_they_are_confirmed(
    rail: Rail, first: int, second: int
) -> None:
    _owners(rail, [("Maksim Orlovsky", first), ("Boris Sokolnik", second), ("Ann Lee", 3_000)])
    _load(rail, _listed("ORLOVSKY, Maksim", "Sokolnik, Boris"))
    buyer = rail.companies.buyer
    with transaction(rail.engine) as session:
        screening.ensure(session, [buyer], ids=rail.ids, now=rail.now)
        before = exposures(session, [buyer])[buyer]
        for hit in records.hits(session, HitFilter("open")):
            deciding.confirm(session, hit.id, reason="it is", actor="c:per_1", now=rail.now)
        after = exposures(session, [buyer])[buyer]

    assert len(before.open) == 2 and before.listed_ownership_bp == 0
    assert not any("Orlovsky" in each for each in before.open), "no person's name is copied"
    assert after.listed_ownership_bp == first + second
    assert len(after.owners) == 2 and after.confirmed == ()


def test_what_is_half_owned_by_the_listed_is_listed_itself_through_any_number_of_others(
    rail: Rail,
) -> None:
    buyer, seller, stranger = rail.companies.buyer, rail.companies.seller, rail.sandbox
    third = stranger.participant_ids[2]
    _owners(rail, [("Maksim Orlovsky", 5_000)])
    at = to_micros(rail.now)
    with transaction(rail.engine) as session:
        insert_rows(
            session, "participant_owner",
            ("id", "participant_id", "role", "share_bp", "owner_participant_id", "live",
             "created_at"),
            [("own_a", third, "owner", 5_000, buyer, True, at),
             ("own_b", seller, "owner", 6_000, third, True, at),
             ("own_c", buyer, "owner", 1_000, seller, True, at)],  # And round again.
        )  # fmt: skip
    _load(rail, _listed("ORLOVSKY, Maksim"))
    with transaction(rail.engine) as session:
        screening.ensure(session, [buyer, seller, third], ids=rail.ids, now=rail.now)
        (hit,) = records.hits(session, HitFilter("open"))
        deciding.confirm(session, hit.id, reason="it is", actor="c:per_1", now=rail.now)
        found = exposures(session, [buyer, seller, third])

    assert found[third].listed_ownership_bp == 5_000
    assert found[seller].listed_ownership_bp == 6_000
    assert found[buyer].listed_ownership_bp in (5_000, 6_000)


def test_below_half_nothing_is_passed_on(rail: Rail) -> None:
    buyer, third = rail.companies.buyer, rail.sandbox.participant_ids[2]
    _owners(rail, [("Maksim Orlovsky", 4_999)])
    with transaction(rail.engine) as session:
        insert_rows(
            session, "participant_owner",
            ("id", "participant_id", "role", "share_bp", "owner_participant_id", "live",
             "created_at"),
            [("own_a", third, "owner", 10_000, buyer, True, to_micros(rail.now))],
        )  # fmt: skip
    _load(rail, _listed("ORLOVSKY, Maksim"))
    with transaction(rail.engine) as session:
        screening.ensure(session, [buyer, third], ids=rail.ids, now=rail.now)
        (hit,) = records.hits(session, HitFilter("open"))
        deciding.confirm(session, hit.id, reason="it is", actor="c:per_1", now=rail.now)
        found = exposures(session, [buyer, third])

    assert found[buyer].listed_ownership_bp == 4_999
    assert found[third].listed_ownership_bp == 0


def test_a_round_goes_on_where_it_was_killed_and_is_logged(rail: Rail) -> None:
    _load(rail, _listed(STRANGER))
    for _ in range(2):
        with transaction(rail.engine) as session:
            assert rounds.step(session, ids=rail.ids, now=rail.now, limit=1)
    with pytest.raises(KeyboardInterrupt), transaction(rail.engine) as session:
        rounds.step(session, ids=rail.ids, now=rail.now, limit=1)
        raise KeyboardInterrupt  # Killed before its commit.
    row = rail.rows("SELECT state, compared, found FROM screening_run WHERE kind = 'all'")
    assert [tuple(each) for each in row] == [("running", 2, 0)]

    more = True
    while more:
        with transaction(rail.engine) as session:
            more = rounds.step(session, ids=rail.ids, now=rail.now, limit=1)

    row = rail.rows("SELECT state, compared, found FROM screening_run WHERE kind = 'all'")
    assert [tuple(each) for each in row] == [("done", 3, 1)]
    assert [each.participant_id for each in _hits(rail)] == [rail.sandbox.participant_ids[2]]


def test_a_round_that_other_lists_overtake_begins_anew(rail: Rail) -> None:
    _load(rail, _listed("Nobody Known Here"))
    _load(rail, _listed("Nobody Known Here"), name="second")

    states = [row[0] for row in rail.rows("SELECT state FROM screening_run WHERE kind = 'all'")]
    assert sorted(states) == ["overtaken", "running"]


def test_who_changes_its_name_is_compared_anew_before_it_is_paid(rail: Rail) -> None:
    worker = rail.worker()
    _load(rail, _listed("Completely Different Holdings"))
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


def test_a_version_writes_what_it_changes_and_keeps_the_old_one(rail: Rail) -> None:
    first = _load(rail, _listed("Alpha One Trading", "Beta Two Trading")).loaded
    second = _load(rail, _listed("Alpha One Trading", "Gamma Three Trading")).loaded

    assert (second.added, second.changed, second.removed) == ((), ("p1",), ())
    kept = rail.rows("SELECT entry_key, version_id, ended_by FROM list_party ORDER BY id")
    assert [tuple(row) for row in kept] == [
        ("p0", first.version_id, None),
        ("p1", first.version_id, second.version_id),
        ("p1", second.version_id, None),
    ]
    again = _load(rail, _listed("Alpha One Trading", "Gamma Three Trading")).loaded
    assert (again.is_new, again.version_id) == (False, second.version_id)


def test_a_file_that_lacks_much_of_what_is_in_force_is_asked_about(rail: Rail) -> None:
    many = [f"Name Number{n}" for n in range(200)]
    _load(rail, _listed(*many))

    with pytest.raises(lists.ListShrinks):
        _load(rail, _listed(*many[:150]))
    with transaction(rail.engine) as session:
        found = screening.put_in_force(
            session, name="own", content=_listed(*many[:150]), ids=rail.ids, now=rail.now,
            accept_shrinking=True,
        )  # fmt: skip
    assert len(found.loaded.removed) == 50
