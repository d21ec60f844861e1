"""What really happened becomes records and matches, seen and acted on through the API alone."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from settlement import bank
from settlement.chain.rail_abi import address_word, selector, word
from settlement.store import transaction
from tests.bank.builders import Movement, a_camt, an_account
from tests.reconciliation.workbench.desks import Desks, desks

ROOT = "/v1/reconciliation"
DOLLAR = 1_000_000
SHIPPED = (
    files("settlement.reconciliation.engine.rules").joinpath("default.yaml").read_text("utf-8")
)


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Iterator[Desks]:
    with desks(engine, tmp_path) as opened:
        yield opened


def an_own_account(desk: Desks, **changes: Any) -> str:
    """An account in USD, by default where the seller is paid out."""
    wanted = an_account(**{"owner_id": desk.rail.companies.seller, "currency": "USD", **changes})
    with transaction(desk.rail.engine) as session:
        return bank.register(session, wanted, ids=desk.rail.ids, now=desk.rail.now)


def told(desk: Desks, folder: Path, *movements: tuple[str, str, str], **changes: Any) -> None:
    """The bank tells of amounts, each with an end-to-end id and a remittance."""
    made = [
        Movement(amount, f"BK-{place}", end_to_end, remittance=remittance, currency="USD")
        for place, (amount, end_to_end, remittance) in enumerate(movements, 1)
    ]
    path = folder / "statement.xml"
    path.write_bytes(a_camt(*made, **{"currency": "USD", **changes}))
    bank.import_file(desk.rail.engine, path, actor="t", ids=desk.rail.ids, now=desk.rail.now)


def listed(desk: Desks, path: str) -> list[dict[str, Any]]:
    answer = desk.get(f"{ROOT}/{path}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


def done(desk: Desks, path: str, body: Any = None, who: str = "anna") -> dict[str, Any]:
    answer = desk.post(f"{ROOT}/{path}", body or {}, who)
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


def refused(desk: Desks, path: str, body: Any = None, who: str = "anna") -> tuple[int, str]:
    answer = desk.post(f"{ROOT}/{path}", body or {}, who)
    return answer.status_code, answer.json()["title"]


def matched(desk: Desks) -> set[tuple[str, tuple[str, ...]]]:
    """Live matches: the rule, and the sources that it joined."""
    source_of = {each["id"]: each["source"] for each in listed(desk, "records")}
    return {
        (each["rule"], tuple(sorted(source_of[key] for key in each["records"])))
        for each in listed(desk, "matches?live=true")
    }


def only(desk: Desks, source: str) -> dict[str, Any]:
    (found,) = listed(desk, f"records?source={source}")
    return found


def paid(desk: Desks, cents: int) -> str:
    """A payment that the rail has settled; return its end-to-end id."""
    (settlement,) = desk.rail.instruct(desk.rail.accepted(cents))
    desk.rail.settle_all(desk.worker)
    desk.settle_down(1)
    return str(desk.rail.one("SELECT end_to_end_id FROM settlement WHERE id = :id", id=settlement))


def test_tokens_that_moved_past_the_rail_are_records_with_their_sign(
    desk: Desks, tmp_path: Path
) -> None:
    rail = desk.rail
    reserve = an_own_account(desk, owner_id=rail.companies.stranger, role="reserve",
                             reserve_of=rail.token())  # fmt: skip
    desk.settle_down(1)
    founding = {each["id"] for each in listed(desk, "records")}
    admin = rail.sandbox.admin
    for act, minor in (("mint", 250 * DOLLAR), ("burn", 40 * DOLLAR)):
        call = selector(f"{act}(address,uint256)") + address_word(admin.address) + word(minor)
        rail.on_chain(admin, rail.token(), bytes.fromhex(call.removeprefix("0x")))
    desk.deposit(7 * DOLLAR)
    desk.settle_down()
    done(desk, "run")

    seen = {
        each["source"]: (each["owner"], each["account"], each["amount"], each["unit"])
        for each in listed(desk, "records")
        if each["id"] not in founding
    }
    told(desk, tmp_path, ("250.00", "M-1", "issue"), ("-40.00", "B-1", "redeem"))
    done(desk, "run")

    issuer, seller, buyer = (getattr(rail.companies, side) for side in
                             ("stranger", "seller", "buyer"))  # fmt: skip
    assert seen == {
        "mint": (issuer, reserve, "250.000000", "TUSD"),
        "burn": (issuer, reserve, "-40.000000", "TUSD"),
        "deposit": (seller, rail.seller_wallet, "7.000000", "TUSD"),
        "withdrawal": (buyer, rail.buyer_wallet, "-7.000000", "TUSD"),
    }
    assert matched(desk) == {
        ("mint-reserve", ("bank", "mint")),
        ("burn-reserve", ("bank", "burn")),
    }


def test_a_payment_is_matched_at_the_bank_undone_and_matched_by_hand(
    desk: Desks, tmp_path: Path
) -> None:
    an_own_account(desk)
    end_to_end_id = paid(desk, 70_00)
    told(desk, tmp_path, ("70.00", end_to_end_id, "thanks"))

    ran = done(desk, "run")["counts"]
    (match,) = listed(desk, "matches")
    bare = refused(desk, f"matches/{match['id']}/unmatch", {"reason": " "})
    undone = done(desk, f"matches/{match['id']}/unmatch", {"reason": "another payment's"})
    twice = refused(desk, f"matches/{match['id']}/unmatch", {"reason": "again"})
    by_hand = done(desk, "matches", {"records": match["records"]})

    assert (ran["matched"], match["rule"]) == (1, "payment-end-to-end")
    assert {each["state"] for each in listed(desk, "records")} == {"matched"}
    assert (bare, twice) == ((422, "Invalid"), (409, "Match not live"))
    assert (undone["live"], undone["undone_reason"]) == (False, "another payment's")
    assert (by_hand["kind"], by_hand["records"]) == ("manual", match["records"])
    assert done(desk, "run")["counts"]["undone"] == 0
    assert [each["state"] for each in listed(desk, "runs")][:1] == ["done"]


def test_a_record_is_split_joined_split_again_and_its_parts_are_matched(
    desk: Desks, tmp_path: Path
) -> None:
    an_own_account(desk)
    paid(desk, 70_00)
    told(desk, tmp_path, ("50.00", "X-1", "one"), ("20.00", "X-2", "two"))
    done(desk, "run")
    whole = only(desk, "payment")["id"]

    wrong = refused(desk, f"records/{whole}/split", {"amounts": ["50.00", "20.01"]})
    done(desk, f"records/{whole}/split", {"amounts": ["60.00", "10.00"]})
    done(desk, f"records/{whole}/join")
    parts = done(desk, f"records/{whole}/split", {"amounts": ["50.00", "20.00"]})["records"]
    entries = {each["amount"]: each["id"] for each in listed(desk, "records?source=bank")}
    for pair in zip(parts, (entries["50.000000"], entries["20.000000"]), strict=True):
        done(desk, "matches", {"records": list(pair)})

    held = refused(desk, f"records/{whole}/join")
    done(desk, "run")
    assert wrong == held == (409, "Cannot be split")
    assert listed(desk, "records?state=open") == []
    assert desk.get("/v1/breaks?is_open=true").json()["data"] == []


def test_new_rules_need_a_second_person_and_are_the_next_runs(desk: Desks, tmp_path: Path) -> None:
    an_own_account(desk)
    end_to_end_id = paid(desk, 70_00)
    told(desk, tmp_path, ("69.50", end_to_end_id, "less a fee"))
    done(desk, "run")
    assert matched(desk) == set()
    wider = 'tolerance: {amount: "1.00", percent: "0", rounding: down}'
    wider = SHIPPED.replace('cardinality: "1:1"', f'cardinality: "1:1"\n    {wider}', 1)

    broken = refused(desk, "rules", {"content": wider.replace("score: 100", "score: 1000")})
    tried = done(desk, "rules/dry-run", {"content": wider})
    draft = done(desk, "rules", {"content": wider})
    approval = {"version": draft["version"], "sha256": draft["sha256"]}
    before = done(desk, "run")["rule_set"]
    own = refused(desk, "rules/approve", approval)
    other = refused(desk, "rules/approve", {**approval, "sha256": "0" * 64}, "carl")
    approved = done(desk, "rules/approve", approval, "carl")
    after = done(desk, "run")

    assert broken == (422, "Rule set invalid")
    assert (tried["gained"], tried["lost"], draft["state"]) == (1, 0, "draft")
    assert (own, other) == ((403, "Own rule set"), (409, "Conflict"))
    assert approved["state"] == "approved" and approved["approved_by"] != approved["author"]
    assert (before, after["rule_set"], after["counts"]["matched"]) == (1, draft["version"], 1)
    assert matched(desk) == {("payment-end-to-end", ("bank", "payment"))}
    assert desk.get("/v1/breaks?is_open=true").json()["data"] == []


def test_an_invoice_what_was_expected_for_it_and_the_money_are_one_match(
    desk: Desks, tmp_path: Path
) -> None:
    an_own_account(desk)
    desk.rail.accepted(70_00, number="RE-70")
    done(
        desk,
        "expected",
        {
            "owner_id": desk.rail.companies.seller,
            "direction": "credit",
            "currency": "USD",
            "amount_low": "70.00",
            "first_day": "2026-11-16",
            "last_day": "2026-11-20",
            "reference": "RE-70",
        },
    )
    told(desk, tmp_path, ("70.00", "NOTPROVIDED", "payment of RE-70"))

    done(desk, "run")

    assert matched(desk) == {("expected-invoice-bank", ("bank", "expected", "invoice"))}
    (after,) = listed(desk, "expected")
    assert (after["status"], after["amount_reconciled"]) == ("reconciled", "70.00")
    assert desk.get("/v1/breaks?is_open=true").json()["data"] == []


def test_the_bank_tells_the_number_of_an_open_invoice(desk: Desks, tmp_path: Path) -> None:
    an_own_account(desk)
    desk.rail.accepted(70_00, number="RE-70")
    desk.rail.accepted(80_00, number="RE-80")
    told(desk, tmp_path, ("70.00", "X-1", "RE-70"), ("79.00", "X-2", "RE-80"))

    done(desk, "run")

    assert matched(desk) == {("invoice-reference", ("bank", "invoice"))}
    (left,) = listed(desk, "records?source=bank&state=open")
    assert (left["amount"], left["reference"]) == ("79.000000", "RE-80")


def test_a_bare_transfer_of_just_the_open_amount_is_matched_with_its_invoice(desk: Desks) -> None:
    desk.rail.accepted(70_00, number="RE-70")
    desk.rail.accepted(80_00, number="RE-80")
    desk.deposit(70 * DOLLAR)
    desk.deposit(79 * DOLLAR)
    desk.settle_down()

    done(desk, "run")

    assert matched(desk) == {("invoice-deposit", ("deposit", "invoice"))}
    (left,) = listed(desk, "records?source=deposit&state=open")
    assert left["amount"] == "79.000000"
