"""Founding a rail again: its registrar keeps it, and another operator gets a lane."""

from pathlib import Path

from sqlalchemy import Engine

from gateway.sandbox import Sandbox, found
from settlement.chain.signing import KeyPair
from tests.builders.rail import OPERATOR, Rail, a_rail
from tests.builders.registrar import REGISTRAR
from tests.builders.three_companies import COMPANIES

SECOND = KeyPair.of(b"\x31" * 32)


def _again(rail: Rail, *operators: KeyPair) -> Sandbox:
    return found(
        rail.engine, rail.chain, operators=[each.address for each in operators],
        companies=COMPANIES, ids=rail.ids, now=rail.now, between_looks=rail.controls.mine,
        looks=50, registrar=REGISTRAR,
    )  # fmt: skip


def test_another_operator_is_allowed_by_the_registrar_and_has_a_lane(
    engine: Engine, tmp_path: Path
) -> None:
    with a_rail(engine, tmp_path, registrar=REGISTRAR) as rail:
        same = _again(rail, OPERATOR)
        more = _again(rail, OPERATOR, SECOND)
        nothing = _again(rail, OPERATOR, SECOND)

        assert (same.owner_calls, more.owner_calls, nothing.owner_calls) == (0, 1, 0)
        lanes = rail.rows("SELECT signer, kind FROM lane")
        assert {(row.signer, row.kind) for row in lanes} == {
            (OPERATOR.address, "operator"),
            (SECOND.address, "operator"),
            (REGISTRAR.address, "admin"),
        }
