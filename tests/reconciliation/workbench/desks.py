"""A rail with deposits that nobody has explained, and a gateway over it with a key per person."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine
from starlette.testclient import TestClient

from gateway import auth
from gateway.app import create_app
from gateway.auth import Role
from gateway.worker import Worker
from settlement.chain.rail_abi import address_word, selector, word
from settlement.chain.signing import KeyPair
from settlement.store import transaction
from tests.builders.rail import Rail, a_rail

_keys = itertools.count(1)
PEOPLE = {
    "anna": Role.TREASURY,
    "ben": Role.TREASURY,
    "carl": Role.APPROVER,
    "dora": Role.APPROVER,
    "olga": Role.OVERSEER,
}


@dataclass
class Desks:
    """What a test does at the door, and how it looks at what became of it."""

    rail: Rail
    worker: Worker
    client: TestClient
    keys: Mapping[str, str]

    def get(self, path: str, who: str = "anna") -> Any:
        """Return the answer to a question."""
        return self.client.get(path, headers={"Authorization": f"Bearer {self.keys[who]}"})

    def post(self, path: str, body: Any, who: str = "anna", key: str | None = None) -> Any:
        """Return the answer to a command."""
        headers = {
            "Authorization": f"Bearer {self.keys[who]}",
            "Idempotency-Key": key or f"act-{next(_keys)}",
        }
        return self.client.post(path, content=orjson.dumps(body), headers=headers)

    def act(self, break_id: str, act: str, who: str = "anna", /, **body: Any) -> Any:
        """Return the answer to an act on a break as it is now."""
        if act not in ("comment", "assign"):
            body = {"version": self.read(break_id)["version"], **body}
        return self.post(f"/v1/breaks/{break_id}/{act}", {"reason": "because", **body}, who)

    def done(self, break_id: str, act: str, who: str = "anna", /, **body: Any) -> dict[str, Any]:
        """Do an act that is to succeed, and return the break."""
        answer = self.act(break_id, act, who, **body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def refused(
        self, break_id: str, act: str, who: str = "anna", /, **body: Any
    ) -> tuple[int, str]:
        """Do an act that is to be refused; return status and title, with nothing changed."""
        before = self.books()
        answer = self.act(break_id, act, who, **body)
        assert self.books() == before
        return answer.status_code, answer.json()["title"]

    def read(self, break_id: str) -> dict[str, Any]:
        """Return a break with all that belongs to it."""
        answer = self.get(f"/v1/breaks/{break_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def deposit(self, minor: int, *, key: KeyPair | None = None) -> None:
        """Let a wallet move tokens to the seller outside the rail, by default the buyer's."""
        payer = key or self.rail.sandbox.wallets[1]
        data = selector("transfer(address,uint256)") + address_word(self.rail.seller_wallet)
        call = bytes.fromhex((data + word(minor)).removeprefix("0x"))
        self.rail.on_chain(payer, self.rail.token(), call)

    def settle_down(self, blocks: int = 13) -> None:
        """Let what happened become final, be booked and reconciled."""
        for _ in range(blocks):
            self.rail.controls.mine()
        for _ in range(4):
            self.rail.round(self.worker)

    def deposited(self, minor: int) -> str:
        """Return the break of a deposit that is final."""
        self.deposit(minor)
        self.settle_down()
        found = self.get("/v1/breaks?kind=unattributed_deposit&is_open=true").json()["data"]
        return str(found[0]["id"])

    def books(self) -> dict[str, Any]:
        """Return what acts may change elsewhere: balances, invoices, and how many entries."""
        rows = self.rail.rows
        return {
            "balances": {
                row.code: row.posted_minor
                for row in rows(
                    "SELECT a.code, b.posted_minor FROM balance b JOIN account a"
                    " ON a.id = b.account_id WHERE a.kind <> 'coin' AND a.kind <> 'gas'"
                    " AND b.posted_minor <> 0"
                )
            },
            "invoices": [
                tuple(row)
                for row in rows(
                    "SELECT id, state, in_flight_minor, settled_minor, returned_minor FROM invoice"
                    " ORDER BY id"
                )
            ],
            "breaks": [
                tuple(row)
                for row in rows(
                    "SELECT id, closed_at IS NULL, opened_at, due_at FROM settlement_break"
                    " ORDER BY id"
                )
            ],
            "records": [
                tuple(row) for row in rows("SELECT origin, state FROM recon_record ORDER BY origin")
            ],
        }


@contextmanager
def desks(engine: Engine, folder: Path) -> Iterator[Desks]:
    """Open a rail, a worker and a gateway on one empty, migrated database."""
    with a_rail(engine, folder) as rail:
        pepper = auth.open_pepper(folder / "home")
        with transaction(engine) as session:
            keys = {
                name: auth.issue_key(session, pepper, role=role, participant_id=None, now=rail.now)
                for name, role in PEOPLE.items()
            }
        settings = rail.settings.__class__(home=folder / "home")
        app = create_app(
            engine, settings, clock=lambda: rail.now, ids=rail.ids, log_stream=io.BytesIO()
        )
        with TestClient(app, raise_server_exceptions=False) as client:
            yield Desks(rail, rail.worker(), client, keys)
