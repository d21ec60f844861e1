"""Which chain this database belongs to, and the refusal of any other.

Deploys nothing; the deployment is recorded by `participants`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from settlement.chain.port import Address, ChainIdentity, Hash
from settlement.errors import ForeignChain, Retryable


class NoDeployment(Retryable):
    """The database does not know its rail yet."""

    def __init__(self) -> None:
        super().__init__("no rail is recorded in this database yet: `settle up` deploys one")


@dataclass(frozen=True, slots=True)
class Deployed:
    """The one rail of this database and the chain it is on."""

    rail: Address
    identity: ChainIdentity
    first_block: int


def deployed(session: Session) -> Deployed:
    """Return the recorded deployment.

    Raises:
        NoDeployment: none is recorded.
    """
    row = session.execute(
        text("SELECT rail, chain_id, genesis_hash, first_block FROM deployment")
    ).one_or_none()
    if row is None:
        raise NoDeployment
    identity = ChainIdentity(row.chain_id, Hash(row.genesis_hash))
    return Deployed(Address(row.rail), identity, row.first_block)


def require_same_chain(ours: ChainIdentity, found: ChainIdentity) -> None:
    """Refuse a node of another chain.

    Raises:
        ForeignChain: chain id or genesis hash differ.
    """
    if found != ours:
        raise ForeignChain(
            f"the node is on chain {found.chain_id} with genesis {found.genesis_hash};"
            f" this database belongs to chain {ours.chain_id} with genesis {ours.genesis_hash}"
        )
