"""What a node's headers mean for the blocks that are stored, case by case.

No node, no database.
"""

import pytest

from settlement.chain.port import BlockRef, Hash
from settlement.watcher.position import Tip
from settlement.watcher.steps import Behind, Extended, Forked, Step, TooDeep, Unclear, step


def a_branch(word: str, first: int = 0) -> list[BlockRef]:
    """Blocks named by letters: `aabb` is blocks 0 and 1 of branch a, then 2 and 3 of branch b."""
    return [
        BlockRef(
            number=first + place,
            hash=Hash(f"{letter}{first + place}"),
            parent_hash=Hash(f"{word[place - 1]}{first + place - 1}" if place else "?"),
            timestamp=0,
            tx_count=0,
            has_logs=False,
            base_fee_wei=0,
        )
        for place, letter in enumerate(word)
    ]


STORED = {block.number: block.hash for block in a_branch("aaaaaa")}
TIP = Tip(5, Hash("a5"))
CASES: dict[str, tuple[int, list[BlockRef], Step]] = {
    "nothing new": (2, a_branch("aaaaaa")[5:], Extended(())),
    "two more": (2, a_branch("aaaaaaaa")[5:], Extended(a_branch("aaaaaaaa")[6:])),
    "another tip, seen from the tip": (2, a_branch("aaaaabb")[5:], Unclear()),
    "another tip": (
        2,
        a_branch("aaaaabb")[2:],
        Forked(Tip(4, Hash("a4")), a_branch("aaaaabb")[5:]),
    ),
    "three others": (
        2,
        a_branch("aaabbbb")[2:],
        Forked(Tip(2, Hash("a2")), a_branch("aaabbbb")[3:]),
    ),
    "a shorter branch": (
        2,
        a_branch("aaabb")[2:],
        Forked(Tip(2, Hash("a2")), a_branch("aaabb")[3:]),
    ),
    "the final block is another": (
        2,
        a_branch("aabbbb")[2:],
        TooDeep(Tip(2, Hash("a2")), a_branch("aabbbb")[2]),
    ),
    "the tip is final and another": (
        5,
        a_branch("aaaaab")[5:],
        TooDeep(Tip(5, Hash("a5")), a_branch("aaaaab")[5]),
    ),
    "a late node": (2, a_branch("aaaa")[2:], Behind()),
    "no headers": (2, [], Unclear()),
    "a next block with another parent": (2, a_branch("bb", 5)[1:], Unclear()),
}


@pytest.mark.parametrize("case", CASES)
def test_headers_are_understood(case: str) -> None:
    final, headers, expected = CASES[case]
    last_final = Tip(final, STORED[final])
    stored = {number: found for number, found in STORED.items() if number >= final}

    found = step(TIP, last_final, stored, headers)

    assert found == expected


def test_every_depth_of_fork_is_found_down_to_the_last_final_block() -> None:
    for depth in range(1, 6):
        word = "a" * (6 - depth) + "b" * (depth + 1)
        final = Tip(0, Hash("a0"))

        found = step(TIP, final, STORED, a_branch(word))

        assert found == Forked(Tip(5 - depth, Hash(f"a{5 - depth}")), a_branch(word)[6 - depth :])
