"""Travel-rule data: complete or said to be not, sealed by party, once for many payments."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from settlement.access import Vault
from settlement.compliance.travel_rule import attach, gaps, keeper_of, opening
from settlement.compliance.travel_rule import ivms101 as ivms
from settlement.compliance.travel_rule.building import (
    Registered,
    lacks_as_beneficiary,
    lacks_as_originator,
    person,
)
from settlement.compliance.travel_rule.gaps import lacks
from settlement.compliance.travel_rule.keeping import Keeper, sides
from settlement.compliance.travel_rule.opening import NotClosed, NotInTurn
from settlement.errors import NotFound, StoreCorrupt
from settlement.store import reading, transaction
from tests.builders.rail import Rail, a_rail


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    with a_rail(engine, tmp_path) as made:
        yield made


def a_party(**changes: Any) -> Registered:
    """A company that lacks nothing."""
    plain: dict[str, Any] = {
        "participant_id": "par_1", "legal_form": "legal_entity", "name": "Nordlicht Pumpen GmbH",
        "country": "DE", "subdivision": "", "street": "Am Sandtorkai", "building_number": "7",
        "post_code": "20457", "town": "Hamburg", "lei": "529900SELLER0000000" + "1",
        "vat_id": "DE129274202", "tax_id": None, "wallet": "0x" + "c0" * 20, "provider": None,
    }  # fmt: skip
    return Registered(**(plain | changes))


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({}, ()),
        ({"lei": None, "vat_id": None}, ()),
        ({"street": "", "post_code": ""}, ()),
        (
            {"lei": None, "vat_id": None, "street": "", "post_code": ""},
            ("an address or official number of the originator",),
        ),
        ({"name": "[erased]"}, ("the originator's name",)),
        ({"name": "[24]7 Brightwater Inc."}, ()),
        ({"town": " "}, ("the originator's town",)),
        ({"wallet": ""}, ("the originator's account",)),
    ],
)
def test_who_pays_has_a_name_an_account_and_one_thing_that_tells_it_apart(
    changes: dict[str, Any], missing: tuple[str, ...]
) -> None:
    assert lacks_as_originator(a_party(**changes)) == missing


def test_who_is_paid_needs_a_name_and_an_account_alone() -> None:
    bare = a_party(lei=None, vat_id=None, street="", post_code="")

    assert lacks_as_beneficiary(bare) == ()
    assert lacks_as_beneficiary(a_party(name=" ", wallet="")) == (
        "the beneficiary's name",
        "the beneficiary's account",
    )


def test_what_either_side_lacks_is_lacking() -> None:
    whole, nameless = a_party(), a_party(name=" ")

    assert lacks((whole, whole)) == ()
    assert lacks((nameless, whole)) == ("the originator's name",)
    assert lacks((whole, nameless)) == ("the beneficiary's name",)


def test_a_company_is_a_legal_person_with_its_lei_and_no_authority() -> None:
    made = ivms.plain(person(a_party()))["legalPerson"]

    assert made["nationalIdentification"] == {
        "nationalIdentifier": "529900SELLER00000001",
        "nationalIdentifierType": "LEIX",
    }
    assert made["geographicAddress"][0]["streetName"] == "Am Sandtorkai"
    assert "addressLine" not in made["geographicAddress"][0]


def test_a_tax_number_of_a_company_names_its_authority_and_an_address_may_be_a_line() -> None:
    made = ivms.plain(person(a_party(lei=None, building_number="")))["legalPerson"]

    assert made["nationalIdentification"]["registrationAuthority"] == "RA999999"
    assert made["geographicAddress"][0]["addressLine"] == ["Am Sandtorkai 20457 Hamburg"]


def test_a_sole_proprietor_is_a_natural_person() -> None:
    party = a_party(legal_form="sole_proprietor", name="Erika Mustermann", lei=None)

    made = ivms.plain(person(party))["naturalPerson"]

    assert made["name"]["nameIdentifier"][0]["primaryIdentifier"] == "Erika Mustermann"
    assert made["nationalIdentification"]["countryOfIssue"] == "DE"
    assert made["geographicAddress"][0]["addressType"] == "HOME"


@pytest.mark.parametrize(
    "make",
    [
        lambda: ivms.Address(address_type="BIZZ", town_name="Hamburg", country="DE"),
        lambda: ivms.Address(address_type="BIZZ", town_name="Hamburg", country="Germany",
                             address_line=["x"]),
        lambda: ivms.LegalId(national_identifier="1", national_identifier_type="TXID"),
        lambda: ivms.LegalId(national_identifier="1", national_identifier_type="LEIX",
                             registration_authority="RA000001"),
        lambda: ivms.Person(account_number=["0x1"]),
        lambda: ivms.LegalNames(name_identifier=[ivms.LegalName(
            legal_person_name="a", legal_person_name_identifier_type="TRAD")]),
        lambda: ivms.Originator(originator_person=[]),
        lambda: ivms.Payload.model_validate({"originator": {}, "beneficiary": {}, "more": 1}),
    ],
)  # fmt: skip
def test_a_shape_that_the_standard_forbids_cannot_be_made(make: Any) -> None:
    with pytest.raises(ValidationError):
        make()


def test_a_payment_that_is_cleared_with_data_has_them_sealed(rail: Rail) -> None:
    first, second = rail.instructed(2, payable_minor=200_000)
    rail.tick(rail.worker())
    keeper = keeper_of(rail.settings.home)

    with reading(rail.engine) as session:
        seen = opening.opened(session, keeper, first, party=None, sees_all=True)
        other = opening.opened(session, keeper, second, party=None, sees_all=True)

    assert rail.one("SELECT outcome FROM clearance WHERE id = :id", id=seen.clearance_id) == (
        "ALLOW_WITH_DATA"
    )
    assert rail.one("SELECT COUNT(*) FROM travel_rule_payload") == 1
    assert (seen.sha256, seen.is_intact) == (other.sha256, True)
    originator = seen.payload["originator"]["originatorPerson"][0]
    assert originator["accountNumber"] == [rail.buyer_wallet]
    assert "Al Noor" in str(originator) and "salt" not in str(seen.payload)
    assert rail.told_all(first).count("travel_rule.ready") == 1
    stored = str([bytes(row.originator) for row in rail.rows("SELECT * FROM travel_rule_payload")])
    assert "Al Noor" not in stored
    for name in ("travel-rule.key", "personal-data.key"):
        assert stat.S_IMODE((rail.settings.home / name).stat().st_mode) == 0o600


def test_a_small_payment_asks_for_nothing_and_a_party_that_lacks_data_holds_a_large_one(
    rail: Rail,
) -> None:
    invoices = rail.accepted(100), rail.accepted(200_000)
    small, large = rail.instruct(*invoices)
    rail.write(
        "UPDATE participant SET vat_id = NULL, lei = NULL, tax_id = NULL, street = '',"
        " post_code = '', legal_form = 'individual' WHERE id = :id",
        id=rail.companies.buyer,
    )
    worker = rail.worker()

    rail.tick(worker)

    assert rail.state(large) == "HELD"
    reason = rail.one("SELECT reason FROM settlement WHERE id = :id", id=large)
    assert "an address or official number of the originator" in reason
    assert rail.rows("SELECT 1 FROM travel_rule_transfer WHERE settlement_id = :id", id=small) == []
    with reading(rail.engine) as session:
        assert set(gaps(session, [small, large])) == {small, large}


def test_what_is_attached_again_keeps_its_place_and_a_changed_party_has_new_data(
    rail: Rail,
) -> None:
    (key,) = rail.instructed(payable_minor=200_000)
    keeper = keeper_of(rail.settings.home)
    with transaction(rail.engine) as session:
        assert attach(session, keeper, {key: "clr_1"}, ids=rail.ids, now=rail.now) == 1
        assert attach(session, keeper, {key: "clr_2"}, ids=rail.ids, now=rail.now) == 0
    rail.write("UPDATE participant SET town = 'Sharjah' WHERE id = :id", id=rail.companies.buyer)

    with transaction(rail.engine) as session:
        attach(session, keeper, {key: "clr_3"}, ids=rail.ids, now=rail.now)

    assert rail.one("SELECT COUNT(*) FROM travel_rule_payload") == 2
    assert rail.one("SELECT clearance_id FROM travel_rule_transfer") == "clr_3"
    newest = rail.one("SELECT MAX(id) FROM travel_rule_payload")
    assert rail.one("SELECT payload_id FROM travel_rule_transfer") == newest
    assert rail.told_all(key).count("travel_rule.ready") == 1


def _attached(rail: Rail) -> tuple[str, Any]:
    (key,) = rail.instructed(payable_minor=200_000)
    keeper = keeper_of(rail.settings.home)
    with transaction(rail.engine) as session:
        attach(session, keeper, {key: "clr_1"}, ids=rail.ids, now=rail.now)
    return key, keeper


def test_each_company_sees_its_own_side_and_staff_nothing_of_who_it_is(rail: Rail) -> None:
    key, keeper = _attached(rail)

    def seen(party: str | None, sees_all: bool = False) -> str:
        with reading(rail.engine) as session:
            found = opening.opened(session, keeper, key, party=party, sees_all=sees_all)
        return str(found.payload)

    assert "Al Noor" in seen(None, True) and "Nordlicht" in seen(None, True)
    assert "Al Noor" in seen(rail.companies.buyer)
    assert "Nordlicht" not in seen(rail.companies.buyer)
    assert "Nordlicht" in seen(rail.companies.seller)
    hidden = seen(None)
    assert not any(word in hidden for word in ("Al Noor", "Nordlicht", "Hamburg", "0x"))
    assert "'countryOfRegistration': 'AE'" in hidden
    with pytest.raises(NotFound):
        seen(rail.companies.stranger)


def test_what_is_erased_is_gone_for_everybody_while_the_hash_stays(rail: Rail) -> None:
    key, keeper = _attached(rail)
    sha256 = rail.one("SELECT sha256 FROM travel_rule_payload")
    buyer = rail.companies.buyer
    with transaction(rail.engine) as session, pytest.raises(NotClosed):
        opening.erase(session, keeper, buyer, rail.now)
    with transaction(rail.engine) as session, pytest.raises(NotFound):
        opening.erase(session, keeper, "par_nobody", rail.now)
    rail.write("UPDATE participant SET state = 'closed' WHERE id = :id", id=buyer)

    with transaction(rail.engine) as session:
        opening.erase(session, keeper, buyer, rail.now)

    with reading(rail.engine) as session:
        seen = opening.opened(session, keeper, key, party=None, sees_all=True)
    assert seen.payload["originator"] == opening.ERASED
    assert "Nordlicht" in str(seen.payload["beneficiary"])
    assert (seen.sha256, seen.is_intact) == (sha256, None)
    assert rail.one("SELECT wrapped FROM personal_key WHERE subject = :s", s=f"travel:{buyer}") is (
        None
    )


def test_a_hash_tells_nothing_to_who_guesses_what_was_hashed() -> None:
    pair = (a_party(), a_party(participant_id="par_2"))
    vault = Vault(b"v" * 32)
    one, other = (sides(Keeper(vault, secret), pair) for secret in (b"one", b"other"))

    assert one.sha256 != other.sha256
    salts = {each["salt"] for both in (one, other) for each in both}
    assert len(salts) == 4 and {len(salt) for salt in salts} == {32}


@pytest.mark.parametrize("change", ["originator = beneficiary", "sha256 = 'another'"])
def test_bytes_that_were_changed_are_not_taken_for_data(rail: Rail, change: str) -> None:
    key, keeper = _attached(rail)
    rail.write(f"UPDATE travel_rule_payload SET {change}")

    with reading(rail.engine) as session, pytest.raises(StoreCorrupt):
        opening.opened(session, keeper, key, party=None, sees_all=True)


def test_it_is_told_in_its_order_that_data_were_sent_and_taken(rail: Rail) -> None:
    key, _keeper = _attached(rail)

    def tell(state: str) -> None:
        with transaction(rail.engine) as session:
            opening.tell(session, key, state, actor="compliance:per_1", now=rail.now)

    for wrong in ("received", "refused", "ready"):
        with pytest.raises(NotInTurn):
            tell(wrong)
    for state in ("sent", "refused", "sent", "received"):
        tell(state)
    with pytest.raises(NotInTurn):
        tell("sent")

    told = [each for each in rail.told_all(key) if each.startswith("travel_rule.")]
    assert told == [f"travel_rule.{s}" for s in ("ready", "sent", "refused", "sent", "received")]
