"""What stands against a participant when its payments are judged."""

from datetime import UTC, datetime

from sqlalchemy import Engine

from settlement.clock import to_micros
from settlement.compliance.screening.exposure import NOTHING, exposures
from settlement.store import reading, transaction
from settlement.store.bulk import insert_rows

AT = to_micros(datetime(2026, 11, 30, tzinfo=UTC))


def _world(engine: Engine) -> None:
    with transaction(engine) as session:
        insert_rows(
            session, "participant",
            ("id", "lei", "name", "country", "street", "post_code", "town", "state", "created_at"),
            [(f"par_{n}", f"LEI{n}", f"Firm {n}", "DE", "", "", "Ulm", "active", AT)
             for n in range(3)],
        )  # fmt: skip
        insert_rows(
            session, "list_version", ("id", "name", "sha256", "entry_count", "created_at"),
            [("lst_1", "ofac", "00", 1, AT)],
        )  # fmt: skip
        insert_rows(
            session, "list_party",
            ("id", "list_name", "entry_key", "kind", "name", "content_hash", "detail",
             "version_id"),
            [("lpy_1", "ofac", "36", "organization", "BAD FIRM", "h", "{}", "lst_1")],
        )  # fmt: skip


def _hit(engine: Engine, number: int, participant: int, state: str, kind: str = "name") -> None:
    decided = ("per_1", AT, "seen") if state in ("cleared", "confirmed") else (None, None, None)
    with transaction(engine) as session:
        insert_rows(
            session, "screening_hit",
            ("id", "participant_id", "subject_kind", "subject_key", "subject_text", "list_name",
             "entry_key", "party_id", "entry_text", "score", "parts", "subject_hash", "entry_hash",
             "state", "decided_by", "decided_at", "reason", "created_at", "updated_at"),
            [(f"hit_{number}", f"par_{participant}", kind, str(number), "Bad Firm", "ofac", "36",
              "lpy_1", "BAD FIRM", 97, "{}", "s", "e", state, *decided, AT, AT)],
        )  # fmt: skip


def test_open_and_confirmed_hits_are_told_apart_and_cleared_ones_are_not_told(
    engine: Engine,
) -> None:
    _world(engine)
    _hit(engine, 1, 0, "open")
    _hit(engine, 2, 1, "confirmed")
    _hit(engine, 3, 2, "cleared")
    _hit(engine, 4, 2, "lapsed")

    with reading(engine) as session:
        found = exposures(session, ["par_0", "par_1", "par_2"])

    assert found["par_0"].open == ("name Bad Firm may be BAD FIRM on ofac (36, score 97)",)
    assert found["par_0"].confirmed == ()
    assert found["par_1"].confirmed == ("name Bad Firm is BAD FIRM on ofac (36, score 97)",)
    assert found["par_2"] is NOTHING


def test_a_confirmed_owner_counts_by_its_share_and_not_as_the_participant(engine: Engine) -> None:
    _world(engine)
    _hit(engine, 1, 0, "confirmed", kind="owner")
    with transaction(engine) as session:
        insert_rows(
            session, "screening_subject",
            ("participant_id", "content_hash", "lists_hash", "listed_ownership_bp",
             "listed_owners", "screened_at"),
            [("par_0", "c", "l", 4990, '["Bad Firm owns 49.9 %"]', AT)],
        )  # fmt: skip

    with reading(engine) as session:
        found = exposures(session, ["par_0", "par_1"])

    assert found["par_0"].confirmed == ()
    assert found["par_0"].listed_ownership_bp == 4990
    assert found["par_0"].owners == ("Bad Firm owns 49.9 %",)
    assert found["par_1"] is NOTHING


def test_a_hit_on_a_small_owner_of_an_owner_is_told_of_that_owner_alone(engine: Engine) -> None:
    _world(engine)
    _hit(engine, 1, 0, "open", kind="owner")
    with transaction(engine) as session:
        insert_rows(
            session, "participant_owner",
            ("id", "participant_id", "role", "share_bp", "owner_participant_id", "company_name",
             "company_country", "live", "created_at"),
            [("own_1", "par_0", "owner", 1_000, None, "Bad Firm", "DE", True, AT),
             ("own_2", "par_1", "owner", 10_000, "par_0", None, None, True, AT)],
        )  # fmt: skip

    with reading(engine) as session:
        found = exposures(session, ["par_0", "par_1"])

    assert len(found["par_0"].open) == 1
    assert found["par_1"] is NOTHING
