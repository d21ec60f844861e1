"""Which chain this database belongs to, and the refusal of any other.

Deploys nothing; the deployment is recorded by `participants`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from settlement.chain.port import Address, ChainIdentity, Hash
from settlement.errors import ForeignChain, Retryable
from settlement.store.bulk import rows


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
    found = rows(session, "SELECT rail, chain_id, genesis_hash, first_block FROM deployment")
    if not found:
        raise NoDeployment
    ((rail, chain_id, genesis_hash, first_block),) = found
    return Deployed(Address(rail), ChainIdentity(chain_id, Hash(genesis_hash)), first_block)


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
