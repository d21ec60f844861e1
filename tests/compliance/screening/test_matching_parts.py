"""A participant's parts beside what is listed: what evidence may take away, and exact numbers."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from settlement.clock import to_micros
from settlement.compliance.screening.index import Index, Listed
from settlement.compliance.screening.matching import matches
from settlement.compliance.screening.names import NameKind
from settlement.compliance.screening.scoring import THRESHOLD
from settlement.compliance.screening.subjects import Part, Subject, subjects
from settlement.store import transaction
from settlement.store.bulk import insert_rows

PERSON = NameKind.PERSON
AT = to_micros(datetime(2026, 11, 30, tzinfo=UTC))
LISTED = Listed(
    "x", "own", "x", PERSON, (("ORLOVSKY, Maksim", "weak"),), frozenset({"RU"}),
    frozenset({"1960-01-01"}), (("passport", "991234567"), ("tax id number", "771234567")),
)  # fmt: skip


def _subject(*parts: Part) -> Subject:
    return Subject("par_1", parts, ())


def test_the_very_name_stays_a_hit_whatever_else_speaks_against_it() -> None:
    name = Part("owner", "nat_1", "Maksim Orlovsky", PERSON, "AE", "1990-05-05")

    (found,) = matches(_subject(name), Index([LISTED]))

    assert found.details["evidence"] == {"country": -4, "birth": -12, "weak alias": -5}
    assert found.points >= THRESHOLD


@pytest.mark.parametrize(
    ("key", "hits"),
    [("tax:771234567", 1), ("lei:771234567", 0), ("tax:991234567", 0), ("bic:991234567", 0)],
)
def test_a_number_is_compared_with_listed_numbers_of_its_kind_alone(key: str, hits: int) -> None:
    number = Part("identifier", key, key.partition(":")[2], NameKind.UNKNOWN, None)

    assert len(matches(_subject(number), Index([LISTED]))) == hits


@pytest.mark.parametrize(
    ("word", "listed_as", "hits"),
    [("tax", kind, 1) for kind in (
        "unified social credit code (uscc)", "v.a.t. number", "fiscalcode", "regnumber", "r.f.c",
        "rfc", "ruc", "rif", "rtn", "c.u.i.t", "c.i.f", "us fein", "company number",
        "uk company number", "enterprise number", "business number", "commercial registry number",
        "c.r. no", "tax id", "national id", "id",
    )]
    + [("tax", kind, 0) for kind in ("passport", "wallet", "bic", "lei", "imo", "residentperm",
                                     "trade license no", "d-u-n-s number")]
    + [("lei", kind, 1) for kind in ("lei", "id", "other")] + [("lei", "passport", 0)],
)  # fmt: skip
def test_a_tax_number_is_found_under_each_name_that_a_list_gives_it(
    word: str, listed_as: str, hits: int
) -> None:
    listed = Listed(
        "x", "own", "x", NameKind.ORGANIZATION, (("Kolvara", "main"),),
        identifiers=((listed_as, "529900T8BM49AURSDO55"),),
    )  # fmt: skip
    number = Part(
        "identifier", f"{word}:529900T8BM49AURSDO55", "529900T8BM49AURSDO55", NameKind.UNKNOWN, None
    )

    assert len(matches(_subject(number), Index([listed]))) == hits


@pytest.mark.parametrize("listed", ["91440300MA5F7LYE2W", "CN91440300MA5F7LYE2W"])
def test_a_vat_number_is_found_with_its_country_and_without_it(engine: Engine, listed: str) -> None:
    company = Listed(
        "c", "own", "c", NameKind.ORGANIZATION, (("Brightwater", "main"),),
        identifiers=(("unified social credit code (uscc)", listed),),
    )  # fmt: skip
    with transaction(engine) as session:
        insert_rows(
            session, "participant",
            ("id", "lei", "name", "country", "street", "post_code", "town", "state", "vat_id",
             "created_at"),
            [("par_1", "LEI1", "Kolvara", "CN", "", "", "Shenzhen", "active",
              "CN91440300MA5F7LYE2W", AT)],
        )  # fmt: skip
        (subject,) = subjects(session, ["par_1"])

    assert [each.listed.entry_key for each in matches(subject, Index([company]))] == ["c"]


def test_a_branch_of_a_listed_bank_is_the_bank(engine: Engine) -> None:
    bank = Listed(
        "b", "own", "b", NameKind.ORGANIZATION, (("Brightwater Bank", "main"),),
        identifiers=(("bic", "BRTWAEADXXX"),),
    )  # fmt: skip
    with transaction(engine) as session:
        insert_rows(
            session, "participant",
            ("id", "lei", "name", "country", "street", "post_code", "town", "state", "created_at"),
            [("par_1", "LEI1", "Kolvara", "AE", "", "", "Dubai", "active", AT)],
        )  # fmt: skip
        insert_rows(
            session, "participant_account",
            ("id", "participant_id", "iban", "bic", "country", "currency", "live", "created_at"),
            [("acc_1", "par_1", "AE070331234567890123456", "BRTWAEAD001", "AE", "AED", True, AT)],
        )  # fmt: skip
        (subject,) = subjects(session, ["par_1"])

    assert [each.listed.entry_key for each in matches(subject, Index([bank]))] == ["b"]
