"""Paid invoices on a real anvil and their proofs, made once; each test harms a copy of the bytes.

In it: an invoice paid in two parts of which one was rejected and paid anew, with a credit note, a
payment that a reorg took back and brought again, and two alike in one batch.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from settlement import invoices
from settlement.chain import admin_abi
from settlement.chain.dev_keys import dev_keys
from settlement.proof import JournalTree, prove
from settlement.settlements import control
from settlement.store import open_engine, transaction
from tests.builders.rail import Rail, an_anvil_rail
from tests.invoices.builders import a_submission

ADMIN = dev_keys(1)[0]


@dataclass
class Proven:
    """A rail with paid invoices by name, and their proofs."""

    rail: Rail
    tree: JournalTree = field(default_factory=JournalTree)
    invoices: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def prove(self, name: str, **changes: Any) -> bytes:
        """Make the proof of an invoice anew."""
        wanted: dict[str, Any] = {
            "party": None,
            "confirmations": self.rail.settings.finality_confirmations,
            "now": self.rail.now,
        }
        return prove(
            self.rail.engine, self.rail.chain, self.tree, self.invoices[name], **wanted | changes
        )


@pytest.fixture(scope="session")
def proven(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proven]:
    folder = tmp_path_factory.mktemp("proven")
    file = folder / "proven.sqlite3"
    shutil.copyfile(sqlite_template, file)
    engine = open_engine(f"sqlite:///{file}")
    with an_anvil_rail(engine, folder) as rail:
        world = Proven(rail)
        _a_day(world)
        world.files |= {name: world.prove(name) for name in world.invoices}
        yield world
    engine.dispose()


def _a_day(world: Proven) -> None:
    rail, worker = world.rail, world.rail.worker()
    for name in ("plain", "twin"):
        world.invoices[name] = rail.accepted(50_000)
        rail.instruct(world.invoices[name])
    world.invoices["reorged"] = rail.accepted(77_700)
    rail.run_until(worker, lambda: _states(rail) == {"BOOKED"})
    rail.instruct(world.invoices["reorged"])
    rail.run_until(worker, lambda: _count(rail, "BOOKED") == 3)
    rail.controls.reorg(2, [])
    rail.settle_all(worker)
    _parted(world, worker)


def _parted(world: Proven, worker: Any) -> None:
    """30.00 rejected, then paid on retry; a credit note; the rest in a payment of its own."""
    rail = world.rail
    token, creditor = rail.sandbox.deployment.token("TUSD").address, rail.seller_wallet
    world.invoices["parted"] = rail.accepted(80_000, number="RE-parted")
    rail.on_chain(ADMIN, token, admin_abi.freeze_calldata(creditor))
    (refused,) = rail.instruct(world.invoices["parted"], claim_minor=3_000)
    rail.run_until(worker, lambda: rail.states()[refused] == "REJECTED")
    rail.on_chain(ADMIN, token, admin_abi.unfreeze_calldata(creditor))
    rail.act(control.retry, refused)
    with transaction(rail.engine) as session:
        (note,) = invoices.issue(
            session,
            [
                a_submission(
                    rail.companies, payable_minor=20_000, currency="USD", number="CN-1",
                    type_code="381", preceding_number="RE-parted", source_type_code="381",
                )
            ],
            actor="test",
            ids=rail.ids,
            now=rail.now,
        )  # fmt: skip
    assert isinstance(note, invoices.InvoiceRecord), note
    rail.instruct(world.invoices["parted"], claim_minor=27_000)
    rail.settle_all(worker)
    world.files["partly"] = world.prove("parted")
    rail.on_chain(ADMIN, token, admin_abi.freeze_calldata(creditor))
    world.invoices["refused"] = rail.accepted(40_000)
    rail.instruct(world.invoices["refused"], claim_minor=30_000)
    rail.run_until(worker, lambda: _count(rail, "REJECTED") == 1)
    rail.on_chain(ADMIN, token, admin_abi.unfreeze_calldata(creditor))
    rail.instruct(world.invoices["refused"], claim_minor=40_000)
    rail.instruct(world.invoices["parted"])
    rail.run_until(worker, lambda: _count(rail, "SETTLED") == 7)


def _count(rail: Rail, state: str) -> int:
    return list(rail.states().values()).count(state)


def _states(rail: Rail) -> set[str]:
    return set(rail.states().values())
