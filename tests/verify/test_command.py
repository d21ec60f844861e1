"""`settle verify` starts the checker with what the settings say."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from gateway.cli.verify import app
from tests.verify.conftest import Patient


def test_the_command_judges_depths_by_the_settings(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["--database", patient.url, "--rpc", patient.node.url, "--json"]

    as_booked = CliRunner().invoke(app, asked).exit_code
    monkeypatch.setenv("SETTLE_BOOKING_TIERS", '[{"from_units": 0, "confirmations": 3}]')
    by_other_tiers = CliRunner().invoke(app, asked).exit_code
    by_none = CliRunner().invoke(app, [*asked, "--past-tiers"]).exit_code

    assert (as_booked, by_other_tiers, by_none) == (0, 1, 0)
