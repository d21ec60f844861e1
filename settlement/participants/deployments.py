"""The one deployment that a database belongs to: recorded once, its tokens checked at every start.

Deploys nothing: `chain.deploy` does, and this writes down what it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text
from sqlmodel import Session

from settlement.chain import admin_abi
from settlement.chain.deployment import DeployedToken, Deployment, check_chain
from settlement.chain.port import Address, ChainPort, Hash
from settlement.clock import to_micros
from settlement.documents.identifiers import minor_units
from settlement.errors import ChainContradicts, Fatal, Invalid, NotFound
from settlement.participants import listing
from settlement.store import reading

DECIMALS_MAX = 9
"""More would not leave room for amounts in 64 bits."""

TEST_CURRENCIES: Mapping[str, str] = {
    "TUSD": "USD",
    "TEUR": "EUR",
    "TAED": "AED",
    "TCNY": "CNY",
    "TINR": "INR",
}
"""ISO 4217 codes of the tokens that `chain.deploy` brings along."""

_KINDS = {1: "exact", 2: "checked"}
_INSERT_DEPLOYMENT = text(
    "INSERT INTO deployment (rail, chain_id, genesis_hash, code_hash, first_block, record,"
    " created_at) VALUES (:rail, :chain_id, :genesis_hash, :code_hash, :first_block, :record, :at)"
)
_INSERT_TOKEN = text(
    "INSERT INTO token (address, symbol, currency, decimals, kind, code_hash, listed)"
    " VALUES (:address, :symbol, :currency, :decimals, :kind, :code_hash, true)"
    " ON CONFLICT (address) DO UPDATE SET listed = true, kind = excluded.kind"
    " WHERE token.code_hash = excluded.code_hash AND token.decimals = excluded.decimals"
    " RETURNING address"
)
_INSERT_LANE = text(
    "INSERT INTO lane (signer, kind, next_nonce, lease_fence, lease_until, state)"
    " VALUES (:signer, :kind, :nonce, 0, 0, 'active') ON CONFLICT (signer) DO NOTHING"
)


class OtherDeployment(Fatal):
    """The database belongs to another rail or chain."""

    def __init__(self, ours: str, offered: str) -> None:
        super().__init__(
            f"this database belongs to the rail {ours}, not to {offered}: use a database of its own"
        )


class TokenRegistryContradicted(ChainContradicts):
    """A token on the chain is not what was recorded: its code, symbol or decimals differ."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The rail of this database."""

    rail: Address
    chain_id: int
    genesis_hash: Hash
    record: Deployment


@dataclass(frozen=True, slots=True)
class RecordedToken:
    """A token as the registry has it."""

    address: Address
    symbol: str
    currency: str
    decimals: int
    code_hash: Hash


def record_deployment(
    session: Session,
    deployed: Deployment,
    *,
    nonces: Mapping[Address, int],
    now: datetime,
    currencies: Mapping[str, str] = TEST_CURRENCIES,
    registrar: Address | None = None,
) -> None:
    """Write down rail, tokens and signing lanes; again with the same or more tokens is fine.

    `nonces` are the signers' mined chain transactions: where a new lane starts. The `registrar`
    has the admin's lane, which lists and freezes.

    Raises:
        OtherDeployment: the database belongs to another rail or chain.
        Invalid: a token without known currency, or with too many decimals.
        TokenRegistryContradicted: a token's code or decimals changed since it was recorded.
    """
    is_new = _record_rail(session, deployed, now)
    for token in deployed.tokens:
        _record_token(session, token, currencies)
    for operator in deployed.operators:
        _record_lane(session, operator, "operator", nonces)
    if registrar is not None:
        _record_lane(session, registrar, "admin", nonces)
    taken = session.execute(
        text(
            "SELECT address FROM wallet WHERE address IN (SELECT address FROM token)"
            " OR address IN (SELECT rail FROM deployment)"
            " OR address IN (SELECT signer FROM lane)"
        )
    ).scalar()
    if taken is not None:
        raise Invalid(f"{taken} is a participant's wallet: it cannot be token, rail or operator")
    if is_new:
        listing.follow_all(session, reason="there is a rail", actor="rail", now=now)


def deployment(session: Session) -> Recorded:
    """Return the deployment.

    Raises:
        NotFound: none is recorded yet.
    """
    row = session.execute(
        text("SELECT rail, chain_id, genesis_hash, record FROM deployment")
    ).one_or_none()
    if row is None:
        raise NotFound("deployment", "of this database")
    return Recorded(row.rail, row.chain_id, row.genesis_hash, Deployment.from_json(row.record))


def tokens(session: Session) -> list[RecordedToken]:
    """Return the listed tokens by symbol."""
    rows = session.execute(
        text(
            "SELECT address, symbol, currency, decimals, code_hash FROM token"
            " WHERE listed ORDER BY symbol"
        )
    )
    return [RecordedToken(*row) for row in rows]


def check_tokens(chain: ChainPort, registry: list[RecordedToken]) -> None:
    """Return quietly if the chain's tokens are those of the registry. Network: outside any commit.

    Raises:
        TokenRegistryContradicted: symbol, decimals or code differ.
        ChainUnreachable: the node did not say.
    """
    calls = []
    for token in registry:
        calls += [(token.address, admin_abi.SYMBOL), (token.address, admin_abi.DECIMALS)]
    answers = chain.call_many(calls)
    hashes = chain.code_hashes([token.address for token in registry])
    for place, (token, code_hash) in enumerate(zip(registry, hashes, strict=True)):
        symbol = admin_abi.read_text(answers[2 * place])
        decimals = admin_abi.read_number(answers[2 * place + 1])
        facts = (
            ("symbol", symbol, token.symbol),
            ("decimals", decimals, token.decimals),
            ("code", code_hash, token.code_hash),
        )
        for what, found, ours in facts:
            if found != ours:
                raise TokenRegistryContradicted(
                    f"{token.symbol} {token.address}: the chain says {what} {found}, recorded is"
                    f" {ours}"
                )


def require_registry(engine: Engine, chain: ChainPort) -> None:
    """Refuse to work where rail or tokens are not what was recorded: to be asked at every start.

    Raises:
        ForeignChain: another chain, or other code at the rail's or a token's address.
        TokenRegistryContradicted: a token's symbol or decimals differ.
        ChainUnreachable: the node did not say.
        NotFound: no deployment is recorded yet.
    """
    with reading(engine) as session:
        recorded, registry = deployment(session), tokens(session)
    check_chain(chain, recorded.record)
    check_tokens(chain, registry)


def _record_lane(
    session: Session, signer: Address, kind: str, nonces: Mapping[Address, int]
) -> None:
    row = {"signer": signer, "kind": kind, "nonce": nonces.get(signer, 0)}
    session.execute(_INSERT_LANE, row)


def _record_rail(session: Session, deployed: Deployment, now: datetime) -> bool:
    """Write the rail down; return whether it is the first time."""
    found = session.execute(text("SELECT rail, chain_id, genesis_hash FROM deployment")).first()
    if found is None:
        row = {
            "rail": deployed.rail,
            "chain_id": deployed.chain_id,
            "genesis_hash": deployed.genesis_hash,
            "code_hash": deployed.rail_code_hash,
            # The block before: the watcher stands on it, and starts with the next.
            "first_block": max(deployed.first_block - 1, 0),
            "record": deployed.to_json(),
            "at": to_micros(now),
        }
        session.execute(_INSERT_DEPLOYMENT, row)
        return True
    ours = (found.rail, found.chain_id, found.genesis_hash)
    if ours != (deployed.rail, deployed.chain_id, deployed.genesis_hash):
        raise OtherDeployment(
            f"{found.rail} on chain {found.chain_id} ({found.genesis_hash})",
            f"{deployed.rail} on chain {deployed.chain_id} ({deployed.genesis_hash})",
        )
    session.execute(text("UPDATE deployment SET record = :record"), {"record": deployed.to_json()})
    return False


def _record_token(session: Session, token: DeployedToken, currencies: Mapping[str, str]) -> None:
    currency = currencies.get(token.symbol)
    if currency is None or minor_units(currency) is None:
        raise Invalid(
            f"the currency of {token.symbol} is not known", field="currencies", repair="name it"
        )
    if token.decimals > DECIMALS_MAX:
        raise Invalid(f"{token.symbol} has {token.decimals} decimals, more than {DECIMALS_MAX}")
    row = {
        "address": token.address,
        "symbol": token.symbol,
        "currency": currency,
        "decimals": token.decimals,
        "kind": _KINDS[int(token.kind)],
        "code_hash": token.code_hash,
    }
    if session.execute(_INSERT_TOKEN, row).scalar() is None:
        raise TokenRegistryContradicted(
            f"{token.symbol} {token.address} has other code or decimals than when it was recorded"
        )
