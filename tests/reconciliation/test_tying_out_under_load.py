"""One unit of difference is a break with the very block that makes it final, however busy it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from settlement.chain.rail_abi import address_word, selector, word
from settlement.errors import ChainUnreachable
from settlement.reconciliation.sides import in_turn
from tests.builders.rail import Rail, a_rail
from tests.builders.reconciled import closed_breaks, open_breaks

FINALITY = 12


class SkewedFrom:
    """A chain whose token says one unit more of one wallet from a block on."""

    def __init__(self, chain: Any) -> None:
        self._chain = chain
        self.call, self.since = "", 0
        self.is_silent = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def call_many(self, calls: Sequence[tuple[str, str]], block_hash: str) -> list[str]:
        if self.is_silent:
            raise ChainUnreachable("the node does not answer calls")
        answers = list(self._chain.call_many(calls, block_hash))
        blocks = self._chain.headers(0, self._chain.head().number)
        (number,) = [block.number for block in blocks if block.hash == block_hash]
        for place, (to, data) in enumerate(calls):
            if f"{to}{data}" == self.call and number >= self.since:
                answers[place] = "0x" + word(int(answers[place], 16) + 1)
        return answers


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    with a_rail(engine, tmp_path, batch_payments_max=5, settlements_per_tick_max=10) as made:
        yield made


def _subject_and_call(rail: Rail) -> tuple[str, str]:
    call = rail.token() + selector("balanceOf(address)") + address_word(rail.buyer_wallet)
    return f"wallet:{rail.buyer_wallet}:TUSD", call


def test_a_unit_too_many_is_a_break_with_the_block_that_makes_it_final_under_load(
    rail: Rail,
) -> None:
    chain = SkewedFrom(rail.chain)
    worker = rail.worker(chain=chain)
    rail.instructed(10)
    for _round in range(3):
        rail.round(worker)
    subject, chain.call = _subject_and_call(rail)
    chain.since = rail.chain.head().number + 1

    opened_at = None
    for _round in range(2 * FINALITY):
        rail.instructed(10)  # More to do in every tick than it takes.
        progress = rail.tick(worker)
        assert progress.claimed
        final = progress.head + 1 - FINALITY
        is_open = ("tie_out", subject) in open_breaks(rail.engine)
        assert is_open == (final >= chain.since), (final, chain.since)
        assert progress.ties == (not is_open)
        opened_at = opened_at or (final if is_open else None)
        rail.controls.mine()

    assert opened_at == chain.since


def test_the_difference_heals_with_the_block_that_has_it_no_more(rail: Rail) -> None:
    chain = SkewedFrom(rail.chain)
    worker = rail.worker(chain=chain)
    subject, chain.call = _subject_and_call(rail)
    rail.round(worker)
    first = open_breaks(rail.engine)
    chain.call = ""

    rail.round(worker)

    assert first == {("tie_out", subject)}
    assert open_breaks(rail.engine) == set()
    assert [found[:2] for found in closed_breaks(rail.engine)] == [("tie_out", subject)]


def test_payments_go_on_while_the_node_answers_no_calls_and_the_tie_out_is_made_up_for(
    rail: Rail,
) -> None:
    chain = SkewedFrom(rail.chain)
    worker = rail.worker(chain=chain)
    rail.instructed(3)
    rail.round(worker)
    chain.is_silent = True
    subject, chain.call = _subject_and_call(rail)

    rail.run_until(worker, lambda: set(rail.states().values()) == {"SETTLED"})
    troubled = rail.round(worker)
    before = open_breaks(rail.engine)
    chain.is_silent = False
    answered = rail.tick(worker)

    assert troubled.troubles == {"tie_out": "the node does not answer calls"}
    assert before == set()
    assert answered.troubles == {}
    assert open_breaks(rail.engine) == {("tie_out", subject)}


def test_more_wallets_than_one_block_asks_for_come_in_turn_and_those_that_moved_always() -> None:
    seen: set[int] = set()
    turn = 0
    for _block in range(4):
        places, turn = in_turn(10, [7], turn, 3)
        assert 7 in places
        assert len(places) <= 4
        seen |= set(places)

    assert seen == set(range(10))
    assert in_turn(3, [], 5, 3) == ([0, 1, 2], 0)
