"""Applying, and what is needed before anybody is even asked."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from settlement.clock import counted_ids, to_micros
from settlement.errors import Invalid
from settlement.participants import (
    ParticipantExists,
    participant,
    profiles,
)
from settlement.participants.activation import DossierIncomplete
from settlement.participants.dossier import Actor
from settlement.participants.papers import DocumentOffered, documents
from settlement.states import ParticipantState
from settlement.store import reading, transaction
from tests.participants.files import (
    NOW,
    a_company,
    a_document,
    a_full_file,
    a_trader,
    activated,
    an_owner,
    applied,
    asked,
    days,
    declared,
    events,
    offered,
    told,
)

CAT = Actor("compliance", "per_cat")


def test_two_people_take_a_company_on_and_every_step_is_kept(engine: Engine) -> None:
    key = activated(engine)

    with reading(engine) as session:
        found = profiles(session, [key], NOW)[key]
        assert events(session, key) == [
            ("apply", "applied"),
            ("activation_asked", "applied"),
            ("activate", "active"),
        ]
        assert told(session) == ["participant.applied", "participant.active"]
        stored = participant(session, key)
    assert (found.state, found.known_by) == (ParticipantState.ACTIVE, "documents")
    assert found.missing_documents == found.expired_documents == ()
    assert found.documents == ("ownership_declaration", "registry_extract", "tax_registration")
    assert [(each.name, each.share_bp) for each in found.owners] == [("Jörg Ahlers", 10_000)]
    # Of a year's documents that are a month old, the first to end is in eleven months.
    assert stored.review_on == days(365).isoformat()
    assert found.kyb_valid_until == to_micros(NOW.replace(hour=0) + timedelta(days=366 - 30 + 1))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("legal_form", {"legal_form": "club"}),
        ("lei", {"lei": None}),
        ("lei", {"lei": "529900T8BM49AURSDO56"}),
        ("lei", {"lei": "529900T8BM49AURSDO56", "legal_form": "individual"}),
        ("vat_id", {"vat_id": None}),
        ("vat_id", {"vat_id": "DE136695975"}),
        ("tax_id", {"tax_id": "12-345", "country": "US"}),
        ("tax_id", {"tax_id": "é", "country": "AE"}),
        ("country", {"country": "ZZ"}),
        ("town", {"town": " "}),
        ("building_number", {"building_number": "1" * 17}),
        ("aliases", {"aliases": ("Nord\u202elicht",)}),
        ("aliases", {"aliases": tuple(f"name {n}" for n in range(21))}),
    ],
)
def test_an_application_with_a_wrong_field_is_refused_by_name(
    engine: Engine, field: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(Invalid) as refusal, transaction(engine) as session:
        applied(session, a_company(**changes), ids=counted_ids())

    assert refusal.value.field == field
    with reading(engine) as session:
        assert told(session) == []


def test_a_trader_needs_no_lei_but_is_one_taxpayer(engine: Engine) -> None:
    with transaction(engine) as session:
        key = applied(session, a_trader(), ids=counted_ids())

    for twin in (a_trader(name="Another"), a_company(tax_id="TR-77", country="AE", vat_id=None)):
        with pytest.raises(ParticipantExists) as refusal, transaction(engine) as session:
            applied(session, twin, ids=counted_ids(50))
        assert refusal.value.participant_id == key
    with transaction(engine) as session:
        assert applied(session, a_trader(country="QA"), ids=counted_ids(90)) != key


def test_one_legal_entity_applies_once(engine: Engine) -> None:
    with transaction(engine) as session:
        applied(session, ids=counted_ids())

    with pytest.raises(ParticipantExists), transaction(engine) as session:
        applied(session, a_company(vat_id="DE129274202"), ids=counted_ids(50))


@pytest.mark.parametrize("lacking", ["registry_extract", "tax_registration", "owners"])
def test_an_incomplete_file_is_not_even_asked_about(engine: Engine, lacking: str) -> None:
    ids = counted_ids()
    kinds = {"registry_extract", "ownership_declaration", "tax_registration"} - {lacking}
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        offered(session, key, *(a_document(kind) for kind in sorted(kinds)), ids=ids)
        if lacking != "owners":
            declared(session, key, an_owner(), ids=ids)

    with (
        pytest.raises(DossierIncomplete, match=lacking.split("_")[0]),
        transaction(engine) as session,
    ):
        asked(session, key, ids=ids)


def test_owners_of_less_than_three_quarters_need_a_controller(engine: Engine) -> None:
    ids = counted_ids()
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        a_full_file(session, key, ids=ids)
        declared(session, key, an_owner(share_bp=7_499), ids=ids)
    with pytest.raises(DossierIncomplete, match="controls"), transaction(engine) as session:
        asked(session, key, ids=ids)

    with transaction(engine) as session:
        lines = (an_owner(share_bp=7_499), an_owner(role="controller", share_bp=0, name="B C"))
        declared(session, key, *lines, ids=ids)
        assert asked(session, key, ids=ids).state == "open"


@pytest.mark.parametrize(
    ("field", "lines"),
    [
        ("owners", []),
        ("owners", [an_owner(share_bp=6_000), an_owner(share_bp=4_001)]),
        ("owners/0/share_bp", [an_owner(share_bp=0)]),
        ("owners/0/share_bp", [an_owner(share_bp=10_001)]),
        ("owners/1/country", [an_owner(share_bp=1), an_owner(share_bp=1, country="Germany")]),
        ("owners/0/name", [an_owner(name="")]),
        ("owners/0/birth_date", [an_owner(birth_date="2030-01-01")]),
        ("owners/0/birth_date", [an_owner(birth_date="yesterday")]),
        ("owners/0/participant_id", [an_owner(kind="participant", participant_id="par_0")]),
        ("owners/0/participant_id", [an_owner(kind="participant")]),
        ("owners/0/participant_id", [an_owner(participant_id="par_0")]),
        ("owners/0/kind", [an_owner(kind="cat")]),
        ("owners/0/role", [an_owner(role="friend")]),
    ],
)
def test_a_declaration_of_owners_is_refused_by_its_line(
    engine: Engine, field: str, lines: list[Any]
) -> None:
    ids = counted_ids()
    with transaction(engine) as session:
        key = applied(session, ids=ids)

    with pytest.raises(Invalid) as refusal, transaction(engine) as session:
        declared(session, key, *lines, ids=ids)

    assert refusal.value.field == field
    with reading(engine) as session:
        assert session.execute(text("SELECT COUNT(*) FROM natural_person")).scalar() == 0


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("kind", {"kind": "letter"}),
        ("number", {"number": ""}),
        ("issuer", {"issuer": "x" * 141}),
        ("issued_on", {"issued_on": days(1).isoformat()}),
        ("issued_on", {"issued_on": "20261101"}),
        ("expires_on", {"expires_on": days(-1).isoformat()}),
        ("expires_on", {"issued_on": days(-400).isoformat()}),
        ("sha256", {"sha256": "A" * 64}),
        ("expires_on", {"kind": "licence"}),
        ("holder_name", {"kind": "identity_document", "expires_on": days(9).isoformat()}),
    ],
)
def test_a_document_with_a_wrong_field_is_refused_by_name(
    engine: Engine, field: str, changes: dict[str, Any]
) -> None:
    ids = counted_ids()
    document = replace(a_document("registry_extract"), **changes)
    with transaction(engine) as session:
        key = applied(session, ids=ids)

    with pytest.raises(Invalid) as refusal, transaction(engine) as session:
        offered(session, key, document, ids=ids)

    assert refusal.value.field == field


def test_a_document_is_good_on_its_last_day(engine: Engine) -> None:
    ids = counted_ids()
    document = replace(a_document("licence"), expires_on=days(0).isoformat())
    with transaction(engine) as session:
        key = applied(session, ids=ids)

        offered(session, key, document, ids=ids)

        assert [each.kind for each in documents(session, key)] == ["licence"]


def test_the_same_file_is_one_document(engine: Engine) -> None:
    ids = counted_ids()
    document = a_document("registry_extract")
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        offered(session, key, document, ids=ids)

    with pytest.raises(DocumentOffered), transaction(engine) as session:
        offered(session, key, document, ids=ids)
