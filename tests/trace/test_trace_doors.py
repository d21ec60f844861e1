"""The journey at the doors: over HTTP by role, and drawn as text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from gateway.api.trace_example import TRACE
from gateway.api.trace_shapes import Trace, shown
from gateway.app import create_app
from gateway.cli.journey import drawing
from settlement.config import Settings
from settlement.store import reading
from settlement.trace import trace
from tests.gateway.builders import the_keys
from tests.verify.conftest import Patient


@contextmanager
def a_door(traced: Engine, patient: Patient, home: Path) -> Iterator[Any]:
    """Give a function that asks the gateway for a trace in somebody's name."""
    now = patient.world.now()
    keys = the_keys(traced, home, patient.world.companies, now)
    app = create_app(traced, Settings(home=home), clock=lambda: now, log_stream=io.BytesIO())
    with TestClient(app, raise_server_exceptions=False) as client:
        yield lambda key, who: client.get(
            f"/v1/trace/{key}", headers={"Authorization": f"Bearer {keys[who]}"}
        )


def test_everybody_gets_the_journey_that_is_theirs(
    traced: Engine, patient: Patient, tmp_path: Path
) -> None:
    key = patient.world.settlements["first"]

    with a_door(traced, patient, tmp_path) as ask:
        answers = {who: ask(key, who) for who in ("treasury", "overseer", "exporter", "importer")}
        refused = ask(key, "stranger")

    assert {who: answer.status_code for who, answer in answers.items()} == dict.fromkeys(
        answers, 200
    )
    for answer in answers.values():
        assert answer.json()["journeys"][0]["settlements"][0]["id"] == key
    assert answers["treasury"].json()["chain_txs"][0]["member_count"] == 3
    assert answers["exporter"].json()["chain_txs"][0]["member_count"] is None
    assert refused.status_code == 404
    assert refused.headers["content-type"] == "application/problem+json"


def test_an_invoice_number_with_a_slash_can_be_asked_for(
    traced: Engine, patient: Patient, tmp_path: Path
) -> None:
    patient.harm("UPDATE invoice SET number = 'RE/2026/17' WHERE number = 'RE-other'")

    with a_door(traced, patient, tmp_path) as ask:
        answer = ask("RE/2026/17", "treasury")

    assert answer.status_code == 200, answer.text
    assert answer.json()["journeys"][0]["invoice"]["number"] == "RE/2026/17"


@pytest.mark.parametrize("word", ["first", "orphaned", "rejected", "cancelled", "parted-part"])
def test_what_is_shown_has_the_shape_that_is_promised(
    traced: Engine, patient: Patient, word: str
) -> None:
    with reading(traced) as session:
        answer = shown(trace(session, patient.world.settlements[word]))

    Trace.model_validate(answer)
    settlement = answer["journeys"][0]["settlements"][0]
    assert settlement["amount"]["unit"] == "TUSD"
    assert settlement["debtor_wallet"] != settlement["debtor_wallet"].lower()
    assert settlement["moves"][0]["at"].endswith("Z")


def test_the_example_has_the_shape_that_is_promised() -> None:
    Trace.model_validate(TRACE)


def test_the_drawing_names_every_step(traced: Engine, patient: Patient) -> None:
    with reading(traced) as session:
        answer = shown(trace(session, patient.world.settlements["orphaned"]))

    drawn = drawing(answer)

    settlement = answer["journeys"][0]["settlements"][0]
    for key in (
        answer["journeys"][0]["invoice"]["id"],
        settlement["id"],
        settlement["end_to_end_id"],
        settlement["reference"],
        settlement["clearances"][0]["id"],
        settlement["chain_tx_ids"][0],
        settlement["tx_hash"],
        settlement["logs"][3]["key"],
        *(entry["key"] for entry in settlement["entries"]),
        *(match["key"] for match in settlement["matches"]),
        settlement["breaks"][0]["id"],
    ):
        assert key in drawn
    assert "orphaned → SUBMITTED by chain: its block was orphaned" in drawn
    assert "ORPHANED" in drawn
    assert "reversed by" in drawn


def test_the_drawing_of_a_lone_deposit_shows_log_entry_and_break(
    traced: Engine, patient: Patient
) -> None:
    source = patient.value("SELECT MIN(source_key) FROM journal_entry WHERE kind = 'transfer'")
    with reading(traced) as session:
        answer = shown(trace(session, source))

    drawn = drawing(answer)

    assert "Transfer in block" in drawn
    assert "suspense:" in drawn
    assert "no settlement says why" in drawn
