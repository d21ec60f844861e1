"""What a chain must offer to the rail: facts by block hash, sending of signed bytes, its state.

Knows no web3 and no database; `evm` and `memory` implement it, one suite runs on both.
Hashes and addresses are lower-case hexadecimal text with `0x`; amounts of tokens are minor units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, NewType, Protocol, runtime_checkable

from settlement.errors import Refused

Address = NewType("Address", str)
Hash = NewType("Hash", str)


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """What tells one chain from another: the id that signatures carry, and the hash of block 0."""

    chain_id: int
    genesis_hash: Hash


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block's place: `timestamp` is the chain's own time in seconds; never used for ordering."""

    number: int
    hash: Hash
    parent_hash: Hash
    timestamp: int
    tx_count: int
    has_logs: bool
    """Whether the header's bloom filter has any bit set."""
    base_fee_wei: int
    logs_bloom: str = ""
    """The header's filter over all its logs, as 0x text; empty where the chain keeps none."""
    receipts_root: str = ""
    """The header's root over its receipts, as 0x text; empty where the chain keeps none."""


class Log(NamedTuple):
    """One event log as the node reports it; `topics` and `data` are 0x-hexadecimal text."""

    address: Address
    topics: tuple[str, ...]
    data: str
    log_index: int


class Receipt(NamedTuple):
    """One chain transaction in one block; `status` 1 succeeded, 0 reverted as a whole."""

    tx_hash: Hash
    tx_index: int
    sender: Address
    to: Address | None
    status: int
    gas_used: int
    gas_price_wei: int
    logs: tuple[Log, ...]


class SendOutcome(StrEnum):
    """What a node's answer to a send means. Source: the table in docs/reliability.md."""

    ACCEPTED = "accepted"
    """The node has these bytes: new, or known already."""
    NONCE_USED = "nonce_used"
    """Something has been mined at this nonce."""
    UNDERPRICED_REPLACEMENT = "underpriced_replacement"
    """Another attempt holds the slot and these bytes do not pay enough to take it."""
    UNDERPRICED = "underpriced"
    """The fee is below what the node takes."""
    NO_GAS_MONEY = "no_gas_money"
    """The signer cannot pay for gas."""
    MALFORMED = "malformed"
    """Our bug or configuration: wrong chain id, gas limits."""
    UNKNOWN = "unknown"
    """Anything else: the bytes may or may not have arrived."""


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """The meaning of an answer, with the node's own words."""

    outcome: SendOutcome
    message: str = ""


class ChainPort(Protocol):
    """A node, seen from the rail: a list goes out as one call.

    Raises:
        ChainUnreachable: any method may.
    """

    def identity(self) -> ChainIdentity:
        """Return chain id and genesis hash, asked anew."""

    def head(self) -> BlockRef:
        """Return the newest block."""

    def headers(self, first: int, last: int) -> list[BlockRef]:
        """Return the canonical headers from `first` to `last`, fewer where the chain ends first."""

    def receipts(self, blocks: Sequence[BlockRef]) -> list[list[Receipt]]:
        """Return per block, asked by hash, its receipts in order.

        Checked here: as many receipts as transactions, every log of this very block, and the logs
        are those of the header's bloom.

        Raises:
            ChainUnreachable: also when the node does not know a hash any more, or its answer fails
                a check.
        """

    def send(self, raw_transactions: Sequence[bytes]) -> list[SendAnswer]:
        """Hand signed bytes to the node, in this order; never retried inside.

        Never raises: unknown is an answer.
        """

    def raw_transactions(self, tx_hashes: Sequence[Hash]) -> list[bytes | None]:
        """Return the signed bytes of chain transactions; None where the node cannot give them.

        Checked here: the bytes hash to what was asked for.
        """

    def nonce(self, signer: Address) -> int:
        """Return how many of the signer's chain transactions are in mined blocks (`latest`)."""

    def nonces_at(self, signers: Sequence[Address], block_hash: Hash) -> list[int]:
        """Return how many chain transactions of each were mined up to a block, itself included.

        Of an old block a node may not know it any more: then it is unreachable for this.
        """

    def call_many(
        self, calls: Sequence[tuple[Address, str]], block_hash: Hash | None = None
    ) -> list[str]:
        """Return the results of read-only calls `(to, data)` at a block, by default the newest.

        In hexadecimal. A call that reverts or has no code gives `0x`.
        """

    def coin_balances(self, holders: Sequence[Address], block_hash: Hash) -> list[int]:
        """Return balances in wei at a block."""

    def code_hashes(self, addresses: Sequence[Address]) -> list[Hash | None]:
        """Return keccak-256 of the runtime code, None where there is none."""


class BlockBody(NamedTuple):
    """What a block's two roots are made over, in the order of its chain transactions."""

    transactions: list[bytes]
    receipts: list[bytes]


class NoHeaderEvidence(Refused):
    """The chain keeps no headers, or nothing says where it is: nothing can be shown to others."""

    def __init__(self) -> None:
        super().__init__(
            "the chain behind this gateway keeps no headers that a proof could be made from",
            field="SETTLE_RPC_URL",
            repair="give the gateway the address of a real node",
        )


@runtime_checkable
class ProvesBlocks(Protocol):
    """What can show others what a block held. Each answer has to be checked by its hash.

    Raises:
        ChainUnreachable: also where the node does not give all of it.
    """

    def header_bytes(self, first: int, last: int) -> list[bytes]:
        """Return the canonical headers from `first` to `last` in RLP."""

    def block_body(self, block_hash: Hash) -> BlockBody:
        """Return a block's chain transactions and receipts as they stand in its tries."""


def proving(chain: object) -> ProvesBlocks:
    """Return a chain that can show what its blocks held.

    Raises:
        NoHeaderEvidence: it cannot.
    """
    if isinstance(chain, ProvesBlocks):
        return chain
    raise NoHeaderEvidence


class ChainControls(Protocol):
    """What only a test chain can do. Numbers are blocks."""

    def mine(self, count: int = 1) -> None:
        """Mine `count` blocks, the first with what is pooled."""

    def reorg(self, depth: int, transactions: Sequence[tuple[bytes, int]] = ()) -> None:
        """Replace the newest `depth` blocks by others.

        `transactions` are put into them: (raw bytes, index of the new block).
        """

    def drop_all(self) -> None:
        """Forget every chain transaction that is pooled."""

    def set_automine(self, on: bool) -> None:
        """Mine a block for every chain transaction sent, or only on `mine`."""

    def set_next_base_fee(self, wei: int) -> None:
        """Set the base fee of the next block."""
