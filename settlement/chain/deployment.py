"""What stands on a chain: the rail, its tokens, and how to tell that it is still the same chain.

A value that goes to JSON and back, and the check of it against a node; `deploy` makes it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

import orjson

from settlement.chain.port import Address, ChainPort, Hash
from settlement.errors import ForeignChain


class TokenKind(IntEnum):
    """How the rail pays a token. Source: IRailRegistry.TokenKind."""

    EXACT = 1
    CHECKED = 2


@dataclass(frozen=True, slots=True)
class DeployedToken:
    """A token as it stands on the chain."""

    symbol: str
    name: str
    address: Address
    kind: TokenKind
    decimals: int
    code_hash: Hash


@dataclass(frozen=True, slots=True)
class Deployment:
    """A rail and its tokens on one chain. Nothing of them lies in a block before `first_block`."""

    chain_id: int
    genesis_hash: Hash
    first_block: int
    rail: Address
    rail_code_hash: Hash
    admin: Address
    operators: tuple[Address, ...]
    tokens: tuple[DeployedToken, ...]

    def token(self, symbol: str) -> DeployedToken:
        """Return a token by its symbol.

        Raises:
            KeyError: none has it.
        """
        for token in self.tokens:
            if token.symbol == symbol:
                return token
        raise KeyError(symbol)

    def to_json(self) -> str:
        """Return it as JSON text."""
        return orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Deployment:
        """Return what `to_json` wrote."""
        fields: dict[str, Any] = orjson.loads(text)
        tokens = tuple(
            DeployedToken(**{**token, "kind": TokenKind(token["kind"])})
            for token in fields.pop("tokens")
        )
        return cls(**{**fields, "operators": tuple(fields["operators"])}, tokens=tokens)


def check_chain(chain: ChainPort, deployment: Deployment) -> None:
    """Return quietly if the node is on the chain of the deployment and its code is there unchanged.

    Raises:
        ForeignChain: another chain id, genesis block or code.
        ChainUnreachable: the node did not say.
    """
    found = chain.identity()
    if found.chain_id != deployment.chain_id:
        raise ForeignChain(
            f"the node has chain id {found.chain_id}, our records are of {deployment.chain_id}"
        )
    if found.genesis_hash != deployment.genesis_hash:
        raise ForeignChain(
            f"the node's block 0 is {found.genesis_hash}, our records are of a chain whose block 0 "
            f"is {deployment.genesis_hash}: it was reset, or is another chain of the same id"
        )
    expected = [("the rail", deployment.rail, deployment.rail_code_hash)]
    expected += [(token.symbol, token.address, token.code_hash) for token in deployment.tokens]
    hashes = chain.code_hashes([address for _, address, _ in expected])
    for (what, address, recorded), code_hash in zip(expected, hashes, strict=True):
        if code_hash != recorded:
            stands = "no code" if code_hash is None else f"code of hash {code_hash}"
            raise ForeignChain(f"{stands} at {address}, where {what} has code of hash {recorded}")
