"""A gateway on a small rail, with a key per role, and requests to it."""

import io
import itertools
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI
from sqlalchemy import Engine, event
from starlette.testclient import TestClient

from gateway import auth
from gateway.app import create_app
from gateway.auth import Role
from settlement import store
from settlement.clock import new_id
from settlement.config import Settings
from tests.invoices.builders import NOW, Companies, a_rail, an_lei

_keys = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Door:
    """A gateway that answers, the companies on its rail, and their API keys."""

    client: TestClient
    app: FastAPI
    engine: Engine
    companies: Companies
    keys: dict[str, str]
    log: io.BytesIO

    def get(self, path: str, who: str = "treasury", **options: Any) -> Any:
        return self.client.get(path, headers=self.headers(who), **options)

    def post(self, path: str, body: Any, who: str, key: str | None = None, **headers: str) -> Any:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        wanted = {**self.headers(who), "Idempotency-Key": key or f"key-{next(_keys)}", **headers}
        return self.client.post(path, content=content, headers=wanted)

    def headers(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[who]}"}


def the_keys(engine: Engine, home: Path, companies: Companies, now: datetime) -> dict[str, str]:
    """Issue a key per role, and one each for the companies' other sides."""
    pepper = auth.open_pepper(home)
    wanted = {
        "exporter": (Role.EXPORTER, companies.seller),
        "importer": (Role.IMPORTER, companies.buyer),
        "stranger": (Role.EXPORTER, companies.stranger),
        "stranger-importer": (Role.IMPORTER, companies.stranger),
        "seller-importer": (Role.IMPORTER, companies.seller),
        "treasury": (Role.TREASURY, None),
        "second-treasury": (Role.TREASURY, None),
        "approver": (Role.APPROVER, None),
        "second-approver": (Role.APPROVER, None),
        "compliance": (Role.COMPLIANCE, None),
        "second-compliance": (Role.COMPLIANCE, None),
        "overseer": (Role.OVERSEER, None),
        "admin": (Role.ADMIN, None),
    }
    with store.transaction(engine) as session:
        return {
            who: auth.issue_key(session, pepper, role=role, participant_id=party, now=now)
            for who, (role, party) in wanted.items()
        }


@contextmanager
def a_door(engine: Engine, home: Path, **options: Any) -> Iterator[Door]:
    """Open a gateway on an empty, migrated database."""
    with store.transaction(engine) as session:
        companies = a_rail(session, new_id)
    keys = the_keys(engine, home, companies, NOW)
    log = io.BytesIO()
    settings = options.pop("settings", None) or Settings(home=home)
    app = create_app(engine, settings, clock=lambda: NOW, log_stream=log, **options)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Door(client, app, engine, companies, keys, log)


def a_json_invoice(
    number: str = "RE-1", payable: str = "1190.00", **changes: Any
) -> dict[str, Any]:
    """Return our own JSON for an invoice from seller to buyer."""
    amount = {"vat_category": "Z", "vat_rate": "0"}
    party = {"address": {"country": "DE", "city": "Hamburg"}}
    plain: dict[str, Any] = {
        "type_code": "380",
        "number": number,
        "issue_date": "2026-11-01",
        "due_date": "2026-12-01",
        "currency": "EUR",
        "seller": {
            "name": "Nordlicht Pumpen GmbH",
            "lei": an_lei("5299seller"),
            "vat_id": "DE129274202",
            **party,
        },
        "buyer": {"name": "Al Noor Trading LLC", "lei": an_lei("5299buyer"), **party},
        "lines": [
            {
                "id": "1",
                "name": "Centrifugal pump",
                "quantity": "1",
                "unit": "C62",
                "price": payable,
                "net": payable,
                **amount,
            }
        ],
        "vat_breakdown": [{"category": "Z", "rate": "0", "taxable": payable, "tax": "0.00"}],
        "totals": {
            "lines_net": payable,
            "tax_exclusive": payable,
            "tax": "0.00",
            "tax_inclusive": payable,
            "payable": payable,
        },
    }
    return {**plain, **changes}


def die_after_commits(engine: Engine, count: int, *, after: bool) -> None:
    """Kill this very process, as `kill -9` does, just before or just after its nth commit."""
    commits = itertools.count(1)

    def die(_connection: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(engine, "commit")
    def on_commit(connection: Any) -> None:
        if connection.get_execution_options().get("only_reads") or next(commits) != count:
            return
        if not after:
            die(connection)
        # SQLAlchemy has no event after a commit; the next thing that it does is giving back.
        event.listen(engine, "checkin", lambda *_: die(connection))
