"""A Merkle-Patricia trie over a list: its root, and the nodes that lead from it to one place.

Pure; knows no block. Source: Ethereum Yellow Paper, 4.4.1 and appendix D.
"""

from __future__ import annotations

from collections.abc import Sequence

from settlement.chain import rlp
from settlement.chain.keccak import keccak

_Leaf = tuple[bytes, bytes]
"""A path in half bytes, one a byte, and what stands at its end."""


def root(values: Sequence[bytes]) -> bytes:
    """Return the 32 bytes of the root over `values`, each under its place from 0."""
    leaves = _leaves(values)
    return keccak(rlp.encode(_node(leaves, 0) if leaves else b""))


def path(values: Sequence[bytes], place: int) -> list[bytes]:
    """Return the encoded nodes from the root down to the leaf that holds `values[place]`.

    Each but the first is named in the one before by its hash: values of 32 bytes or more, which
    receipts and chain transactions are, leave no node short enough to stand inside another.
    """
    leaves, wanted, depth = _leaves(values), half_bytes(rlp.encode(rlp.integer(place))), 0
    nodes = []
    while True:
        nodes.append(rlp.encode(_node(leaves, depth)))
        if len(leaves) == 1:
            return nodes
        shared = _shared(leaves, depth)
        if shared == depth:
            leaves = [leaf for leaf in leaves if leaf[0][depth] == wanted[depth]]
            depth += 1
        else:
            depth = shared


def half_bytes(key: bytes) -> bytes:
    """Return the half bytes of a key, one a byte."""
    return bytes(digit for byte in key for digit in divmod(byte, 16))


def _leaves(values: Sequence[bytes]) -> list[_Leaf]:
    return sorted(
        (half_bytes(rlp.encode(rlp.integer(place))), value) for place, value in enumerate(values)
    )


def _shared(leaves: list[_Leaf], depth: int) -> int:
    """Return up to where all paths of sorted `leaves` are the same."""
    first, last = leaves[0][0], leaves[-1][0]
    while depth < len(first) and first[depth] == last[depth]:
        depth += 1
    return depth


def _node(leaves: list[_Leaf], depth: int) -> rlp.Item:
    """Return the trie's node that holds sorted `leaves`, whose paths are the same up to `depth`."""
    first = leaves[0][0]
    if len(leaves) == 1:
        return [_path(first[depth:], is_end=True), leaves[0][1]]
    shared = _shared(leaves, depth)
    if shared > depth:
        return [_path(first[depth:shared], is_end=False), _reference(_node(leaves, shared))]
    # No path ends inside another: each is the encoding of one number.
    branch: list[rlp.Item] = []
    for digit in range(16):
        below = [leaf for leaf in leaves if leaf[0][depth] == digit]
        branch.append(_reference(_node(below, depth + 1)) if below else b"")
    return [*branch, b""]


def _reference(node: rlp.Item) -> rlp.Item:
    encoded = rlp.encode(node)
    return node if len(encoded) < 32 else keccak(encoded)


def _path(digits: bytes, *, is_end: bool) -> bytes:
    """Return half bytes packed, behind one that tells their number's parity and a leaf's end."""
    flag = 2 * is_end + len(digits) % 2
    whole = bytes((flag,)) + (b"" if flag % 2 else b"\x00") + digits
    return bytes(16 * high + low for high, low in zip(whole[::2], whole[1::2], strict=True))
