"""Both sides together: the database at one moment, the chain up to one head, the judged block.

Judges nothing but whether the two belong to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from settlement.verify.database import Database
from settlement.verify.node import Header, Node, Place, Seen
from settlement.verify.pairs import Mark, exact_transfers
from settlement.verify.rpc import Call, NotJudged, line_to


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be judged, and how."""

    database_url: str
    node: str | Call
    """An http:// or https:// address, or a node in this process."""
    at: int | None = None
    confirmations: int = 12
    quiescent: bool = False
    booking_tiers: tuple[tuple[int, int], ...] = ()
    """(from whole units, confirmations): if given, depths are judged by them."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that the checks look at."""

    database: Database
    node: Node
    chain_id: int
    rail: str
    tokens: dict[str, str]
    """Symbol by address."""
    currencies: dict[str, str]
    """ISO 4217 code by token address."""
    decimals: dict[str, int]
    """By token address."""
    wallets: dict[str, str]
    """Participant by address."""
    lanes: dict[str, int]
    """Next nonce by signer."""
    head: Header
    final_number: int
    """The newest final block, as the node's head stands."""
    at: Header
    """The final block at which books and chain are compared."""
    seen: Seen
    pairs: dict[Mark, Place]
    """The exact Transfer of each Settled log."""
    confirmations: int
    quiescent: bool
    booking_tiers: tuple[tuple[int, int], ...]

    def is_judged(self, block_number: int | None) -> bool:
        """Whether a block is at or below the judged one."""
        return block_number is not None and block_number <= self.at.number

    def is_canonical(self, block_number: int | None, block_hash: str | None) -> bool:
        """Whether the node has this very block."""
        return block_hash is not None and self.seen.hash_at(block_number) == block_hash


@contextmanager
def open_scene(question: Question, progress: Callable[[str], None]) -> Iterator[Scene]:
    """Open both sides and read the chain.

    The head is taken before the database's moment: the database must know what is mined by then.

    Raises:
        NotJudged: one side cannot be read, or they do not belong together.
    """
    with closing(line_to(question.node)) as line:
        node = Node(line)
        head = node.head()
        with closing(Database(question.database_url)) as database:
            yield _read(question, node, head, database, progress)


def _read(
    question: Question,
    node: Node,
    head: Header,
    database: Database,
    progress: Callable[[str], None],
) -> Scene:
    deployments = database.rows("SELECT rail, chain_id, genesis_hash, first_block FROM deployment")
    if len(deployments) != 1:
        raise NotJudged(f"the database has {len(deployments)} deployments, not one")
    rail, chain_id, genesis_hash, first_block = deployments[0]
    _require_same_chain(node, chain_id, genesis_hash)
    rows = database.rows("SELECT address, symbol, currency, decimals FROM token")
    wallets = dict(database.rows("SELECT address, participant_id FROM wallet"))
    lanes = dict(database.rows("SELECT signer, next_nonce FROM lane"))
    if head.number < first_block:
        raise NotJudged(f"the node's head is {head.number}, before the rail's first {first_block}")
    progress(f"reading blocks {first_block} to {head.number}")
    seen = node.read(
        first_block,
        head,
        rails={rail},
        tokens={row[0] for row in rows},
        signers=set(lanes),
        progress=progress,
    )
    final_number = head.number - question.confirmations + 1
    at = _judged_block(question, database, final_number)
    return Scene(
        database=database,
        node=node,
        chain_id=chain_id,
        rail=rail,
        tokens={address: symbol for address, symbol, *_ in rows},
        currencies={address: currency for address, _, currency, _ in rows},
        decimals={address: decimals for address, _, _, decimals in rows},
        wallets=wallets,
        lanes=lanes,
        head=head,
        final_number=final_number,
        at=seen.headers[max(at, first_block)],
        seen=seen,
        pairs=exact_transfers(seen),
        confirmations=question.confirmations,
        quiescent=question.quiescent,
        booking_tiers=question.booking_tiers,
    )


def _require_same_chain(node: Node, chain_id: int, genesis_hash: str) -> None:
    found_chain, found_genesis = node.identity()
    if (found_chain, found_genesis) != (chain_id, genesis_hash):
        raise NotJudged(
            f"the node is on chain {found_chain} with genesis {found_genesis},"
            f" the database belongs to {chain_id} with {genesis_hash}"
        )


def _judged_block(question: Question, database: Database, final_number: int) -> int:
    """Return the newest final block that the watcher and the posting run have both passed."""
    if question.at is not None:
        if question.at > final_number:
            raise NotJudged(f"block {question.at} is not final, {final_number} is the newest")
        return question.at
    cursor = database.value("SELECT MAX(number) FROM cursor WHERE name = 'head'")
    passed = min(final_number, (cursor or 0) - question.confirmations + 1)
    if question.quiescent:
        return passed
    # A worker that is catching up has stored blocks whose postings come in its next step, and
    # orphaned ones whose postings are taken back in it.
    due = database.value(
        "SELECT MIN(r.block_number) FROM receipt r JOIN block b ON b.hash = r.block_hash"
        " WHERE b.canonical AND r.books = 'due' OR NOT b.canonical AND r.books = 'posted'"
    )
    return passed if due is None else min(passed, due - 1)
