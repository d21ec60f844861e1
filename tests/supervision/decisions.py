"""Decisions about payments, stored as clearing stores them."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import count
from types import MappingProxyType

from settlement.clock import to_micros
from settlement.store import transaction
from tests.builders.rail import Rail

_numbers: Iterator[int] = count(1)


def decided(
    rail: Rail, outcome: str, now: datetime, *, rule: str = "US-04", key: str = "",
    beside: Mapping[str, str] = MappingProxyType({}),
) -> str:  # fmt: skip
    """A decision of that outcome about a payment of its own; return the clearance's id.

    `beside`: other rules that found something too, each with its outcome.
    """
    settlement = key or rail.instructed()[0]
    clearance = f"clr_{next(_numbers):032x}"
    verdicts = json.dumps(
        [
            {"rule": each, "outcome": said, "found": "listed"}
            for each, said in {rule: outcome, **beside}.items()
        ]
    )
    with transaction(rail.engine) as session:
        session.connection().exec_driver_sql(
            "INSERT INTO clearance (id, settlement_id, outcome, inputs_hash, verdicts,"
            " policy_version, list_versions, debtor_wallet, creditor_wallet, token, amount_minor,"
            " reference, expires_at, created_at) SELECT"
            f" '{clearance}', id, '{outcome}', '', '{verdicts}', 'p1', '{{}}', debtor_wallet,"
            f" creditor_wallet, token, amount_minor, reference, {to_micros(now)}, {to_micros(now)}"
            f" FROM settlement WHERE id = '{settlement}'"
        )
    return clearance
