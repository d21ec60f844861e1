"""Both trees against code that builds them another way: the trie of a real block, RFC 6962."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pytest
from sqlalchemy import Engine

from settlement.chain import rlp, trie
from settlement.chain.encoding import header_bytes
from settlement.chain.keccak import keccak
from settlement.ledger import Entry, Line, post
from settlement.proof import journal_tree
from settlement.proof.journal_tree import JournalTree, leaf
from settlement.store import reading, transaction
from settlement.verify import proof_standalone as checker
from settlement.verify.journal_chain import Tree
from settlement.verify.proof_standalone import Wrong
from tests.builders.rail import NOW
from tests.chain.worlds import CREDITOR, STRANGER, World, a_payment, a_world


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """An anvil with the rail on it, and a block of 140 chain transactions on top."""
    with a_world("anvil") as made:
        sends = [made.sign(STRANGER, CREDITOR.address, gas_limit=21_000) for _ in range(139)]
        made.mined(*sends, made.batch([a_payment(1), a_payment(2)]))
        yield made


def insert(tree: dict[str, bytes]) -> bytes:
    """Return a trie's root from its keys in hexadecimal digits: by recursion over a mapping."""
    if len(tree) == 1:
        ((key, value),) = tree.items()
        return rlp.encode([_packed(key, 2), value])
    first = next(iter(tree))
    shared = next(n for n in range(len(first) + 1) if any(k[:n] != first[:n] for k in tree)) - 1
    if shared:
        below = insert({key[shared:]: value for key, value in tree.items()})
        return rlp.encode([_packed(first[:shared], 0), keccak(below)])
    slots: list[rlp.Item] = []
    for digit in "0123456789abcdef":
        part = {key[1:]: value for key, value in tree.items() if key[0] == digit}
        slots.append(keccak(insert(part)) if part else b"")
    return rlp.encode([*slots, b""])


def _packed(digits: str, flag: int) -> bytes:
    odd = len(digits) % 2
    return bytes.fromhex(f"{flag + odd}{'' if odd else '0'}{digits}")


def test_every_path_of_a_real_block_leads_to_its_roots(world: World) -> None:
    head = world.chain.head()
    (header,) = world.chain.header_bytes(head.number, head.number)
    body = world.chain.block_body(head.hash)
    fields = rlp.decode(header)
    assert isinstance(fields, list)

    assert "0x" + keccak(header).hex() == head.hash
    assert len(body.receipts) == 140
    for root, values in ((fields[4], body.transactions), (fields[5], body.receipts)):
        keyed = {rlp.encode(rlp.integer(n)).hex(): value for n, value in enumerate(values)}
        assert keccak(insert(keyed)) == root == trie.root(values)
        for place, value in enumerate(values):
            assert checker.trie_leaf(root, place, trie.path(values, place)) == value


def test_a_path_with_a_node_more_less_or_other_is_refused(world: World) -> None:
    values = world.chain.block_body(world.chain.head().hash).receipts
    root, path = trie.root(values), trie.path(values, 7)

    for forged in (
        [*path, path[-1]],
        [*path, b"\xc0"],
        path[:-1],
        path[1:],
        [path[0], *path],
        path[:-1] + trie.path(values, 8)[-1:],
        [],
    ):
        with pytest.raises((Wrong, IndexError)):
            checker.trie_leaf(root, 7, forged)
    with pytest.raises((Wrong, IndexError)):
        checker.trie_leaf(root, 9, path)


def test_headers_of_later_forks_are_hashed_as_the_node_hashes_them(world: World) -> None:
    answer = world.chain.rpc.call("eth_getBlockByNumber", "latest", False)

    assert "0x" + keccak(header_bytes(answer)).hex() == answer["hash"]
    assert "requestsHash" in answer and "withdrawalsRoot" in answer


def mth(leaves: list[bytes]) -> bytes:
    """The Merkle tree hash, in the words of RFC 6962, 2.1."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\1" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def test_the_journal_s_tree_is_that_of_the_rfc_at_every_size(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_tree, "CHUNK", 4)
    invoices = [None, "a", "b", "a", "a", None, "b"]
    entries = [
        Entry("accept", f"accept:{n}", (Line("receivable:x:USD", n), Line("sales:x:USD", -n)),
              invoice_id=invoices[n % 7])
        for n in range(1, 38)
    ]  # fmt: skip
    with transaction(engine) as session:
        post(session, entries, NOW)
    tree, streamed, leaves, newest = JournalTree(), Tree(), [], {}
    with reading(engine) as session:
        hashes = session.connection().exec_driver_sql("SELECT hash FROM journal_entry ORDER BY seq")
        for seq, (entry_hash,) in enumerate(hashes.all(), start=1):
            name = entries[seq - 1].invoice_id
            previous = newest.get(name, 0) if name else 0
            newest[name] = seq
            leaves.append(leaf(entry_hash, previous))
            streamed.append(entry_hash, previous)
            at_head = tree.at(session, seq)
            root = sha256(b"\2" + seq.to_bytes(8, "big") + mth(leaves)).hexdigest()
            assert at_head.root() == streamed.root() == root
            assert at_head.previous_of_invoice(seq) == previous
            for place in range(seq):
                path = [bytes.fromhex(each) for each in at_head.path(place + 1)]
                assert checker._climb(leaves[place], place, seq, path) == mth(leaves)
