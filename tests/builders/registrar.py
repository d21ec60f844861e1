"""The admin's side of a founded rail: its key, its signer, and saying what wallets are to be."""

from __future__ import annotations

from typing import Any

from settlement import registry
from settlement.chain.admin_abi import IS_PARTICIPANT, selector
from settlement.chain.rail_abi import address_word
from settlement.chain.signing import KeyPair
from settlement.registry import Source
from settlement.signer import IntentSigner
from settlement.signer.limits import CHANGES
from settlement.store import transaction
from tests.builders.rail import Rail

REGISTRAR = KeyPair.of(b"\x29" * 32)
_IS_FROZEN = selector("isFrozen(address)")


def admin_signer(rail: Rail, *, slots: str = "slots-admin.sqlite3") -> IntentSigner:
    """The signer of the admin's lane."""
    return rail.signer(slots=slots, keys=REGISTRAR, signs=CHANGES)


def want(rail: Rail, *wallets: str, source: Source = Source.COMPLIANCE, **wanted: Any) -> Any:
    """Let a side say what wallets are to be."""
    with transaction(rail.engine) as session:
        return registry.want(
            session, wallets, source=source, reason="a test", actor="ana", now=rail.now, **wanted
        )


def standing(rail: Rail, wallet: str, contract: str | None = None) -> tuple[str, str]:
    """What a wallet is to be on the rail or a token, and what the records say it is."""
    row = rail.one(
        "SELECT wanted, actual FROM registry_standing WHERE wallet = :wallet AND contract = :at",
        wallet=wallet,
        at=contract or rail.sandbox.deployment.rail,
    )
    return row.wanted, row.actual


def is_listed(rail: Rail, wallet: str) -> bool:
    """What the contract itself says."""
    call = (rail.sandbox.deployment.rail, IS_PARTICIPANT + address_word(wallet))
    return bool(int(rail.chain.call_many([call])[0], 16))


def is_frozen(rail: Rail, wallet: str) -> bool:
    """What the token itself says."""
    call = (rail.token(), _IS_FROZEN + address_word(wallet))
    return bool(int(rail.chain.call_many([call])[0], 16))


def changes(rail: Rail) -> list[tuple[str, str, int]]:
    """Effect, state and wallets of each chain transaction of the admin's lane, by nonce."""
    rows = rail.rows(
        "SELECT MIN(h.effect) AS effect, c.state, COUNT(*) AS n FROM chain_tx c"
        " JOIN registry_change h ON h.chain_tx_id = c.id"
        " GROUP BY c.id, c.state, c.nonce ORDER BY c.nonce"
    )
    return [(row.effect, row.state, row.n) for row in rows]
