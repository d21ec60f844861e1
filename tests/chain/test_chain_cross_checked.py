"""R8: two nodes as one chain; where they differ, neither is believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import pytest

from settlement.chain.anvil import Anvil, AnvilOptions
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.cross_checked import TRIES, CrossChecked, NodesDisagree
from settlement.chain.evm import EvmChain
from settlement.chain.memory import MemoryChain
from settlement.chain.port import BlockRef, Hash, Receipt, SendAnswer, SendOutcome
from settlement.errors import ChainUnreachable
from tests.builders.rpc_proxy import RpcProxy
from tests.chain.worlds import World, a_world
from tests.watcher.liars import Late, LogDropper, OtherChain, Relay


@pytest.fixture
def memory_world() -> Iterator[World]:
    with a_world("memory") as made:
        yield made


@dataclass
class Branched(Relay):
    """Has other blocks from `first` on."""

    first: int = 0

    def head(self) -> BlockRef:
        return self._other(self.chain.head())

    def headers(self, first: int, last: int) -> list[BlockRef]:
        return [self._other(each) for each in self.chain.headers(first, last)]

    def _other(self, block: BlockRef) -> BlockRef:
        return replace(block, hash=Hash("0xbad")) if block.number >= self.first else block


@dataclass
class Dumb(Relay):
    """Takes sends and gives no answer, or takes them and forgets them."""

    outcome: SendOutcome = SendOutcome.UNKNOWN

    def send(self, raw_transactions: Sequence[bytes]) -> list[SendAnswer]:
        return [SendAnswer(self.outcome) for _ in raw_transactions]


@dataclass
class Richer(Relay):
    """Adds a unit of gas to every receipt: nothing in a header tells."""

    def receipts(self, blocks: Sequence[BlockRef]) -> list[list[Receipt]]:
        return [
            [each._replace(gas_used=each.gas_used + 1) for each in found]
            for found in self.chain.receipts(blocks)
        ]


def a_chain(blocks: int = 5) -> MemoryChain:
    chain = MemoryChain()
    chain.mine(blocks)
    return chain


def test_two_nodes_that_agree_are_one_chain() -> None:
    chain = a_chain()
    both = CrossChecked(chain, Relay(chain))

    assert both.identity() == chain.identity()
    assert both.head() == chain.head()
    assert both.headers(0, 9) == chain.headers(0, 5)
    assert both.receipts(chain.headers(0, 5)) == chain.receipts(chain.headers(0, 5))


@pytest.mark.parametrize("late_is_first", [True, False])
def test_a_late_node_is_waited_for_and_not_called_wrong(late_is_first: bool) -> None:
    chain = a_chain()
    nodes = (Late(chain, 3), chain) if late_is_first else (chain, Late(chain, 3))
    both = CrossChecked(*nodes)

    assert both.head().number == 3
    assert [each.number for each in both.headers(1, 5)] == [1, 2, 3]
    assert both.headers(4, 5) == []


@pytest.mark.parametrize("wrong_is_first", [True, False])
def test_another_block_on_one_node_makes_both_unbelievable(wrong_is_first: bool) -> None:
    chain = a_chain()
    wrong = Branched(chain, 4)
    both = CrossChecked(*((wrong, chain) if wrong_is_first else (chain, wrong)))

    for ask, number in (
        (both.head, 5),
        (lambda: both.headers(0, 5), 4),
        (lambda: both.headers(5, 5), 5),
    ):
        with pytest.raises(NodesDisagree, match=f"block {number} "):
            ask()


def test_a_late_node_on_another_branch_is_not_only_late() -> None:
    chain = a_chain()
    both = CrossChecked(chain, Branched(Late(chain, 3), 2))

    for ask, number in ((both.head, 3), (lambda: both.headers(0, 5), 2)):
        with pytest.raises(NodesDisagree, match=f"block {number} "):
            ask()


def test_a_header_with_a_true_hash_and_a_false_filter_is_not_believed() -> None:
    """R10: a block whose filter is empty would not be asked for its logs at all."""
    chain = a_chain()

    @dataclass
    class Emptied(Relay):
        def headers(self, first: int, last: int) -> list[BlockRef]:
            found = self.chain.headers(first, last)
            return [replace(each, logs_bloom="0x00") for each in found]

    for nodes in ((chain, Emptied(chain)), (Emptied(chain), chain)):
        with pytest.raises(NodesDisagree, match="block 0 "):
            CrossChecked(*nodes).headers(0, 5)


def test_another_chain_behind_the_second_address_is_noticed() -> None:
    """R19: also while it runs, since the identity is asked anew each time."""
    chain = a_chain()
    both = CrossChecked(chain, OtherChain(chain, chain_id=99))

    with pytest.raises(NodesDisagree, match="id and genesis"):
        both.identity()


def test_differing_becomes_a_problem_when_it_lasts_and_ends_with_agreement() -> None:
    chain = a_chain()
    wrong = Branched(chain, 4)
    both = CrossChecked(chain, wrong)

    lasting = []
    for _ in range(TRIES):
        both.identity()  # What they agree on does not excuse the rest.
        with pytest.raises(NodesDisagree) as caught:
            both.headers(0, 5)
        lasting.append(caught.value.is_lasting)
    wrong.first = 99
    both.headers(0, 5)
    wrong.first = 4
    with pytest.raises(NodesDisagree) as again:
        both.headers(0, 5)

    assert lasting == [False] * (TRIES - 1) + [True]
    assert again.value.tries == 1


@pytest.mark.parametrize("liar", [LogDropper, Richer])
def test_other_receipts_on_one_node_are_not_believed(
    memory_world: World, liar: type[Relay]
) -> None:
    """R9: also what no bloom filter tells."""
    chain = memory_world.chain
    blocks = chain.headers(0, chain.head().number)

    for nodes in ((chain, liar(chain)), (liar(chain), chain)):
        with pytest.raises(NodesDisagree, match="receipts"):
            CrossChecked(*nodes).receipts(blocks)


def test_bytes_reach_both_nodes_and_an_answer_that_is_missing_is_the_other_s() -> None:
    """R1 R2 R20: a node that loses what it took does not keep it from being mined."""
    memory = MemoryChain()
    for first in (Dumb(memory, SendOutcome.UNKNOWN), Dumb(memory, SendOutcome.ACCEPTED)):
        both = CrossChecked(first, memory)
        expected = memory.send([b"\x02no transaction"])[0].outcome
        (answer,) = both.send([b"\x02no transaction"])

        is_unknown = first.outcome is SendOutcome.UNKNOWN
        assert answer.outcome is (expected if is_unknown else SendOutcome.ACCEPTED)


def test_two_real_nodes_one_behind_a_lying_proxy() -> None:
    """R7 R8 R9 R13: the truth from one and a lie from the other is no answer."""
    with (
        Anvil(AnvilOptions(no_mining=True)) as anvil,
        RpcProxy(anvil.url) as proxy,
        closing(EvmChain(anvil.url)) as first,
        closing(EvmChain(proxy.url)) as second,
        closing(AnvilControls(anvil.url)) as controls,
    ):
        controls.mine(6)
        both = CrossChecked(first, second)
        assert both.head().number == 6
        proxy.arm("stale_head", number=2)
        assert both.head().number == 4
        assert [each.number for each in both.headers(3, 6)] == [3, 4]
        proxy.disarm()
        with Anvil(AnvilOptions(no_mining=True)) as other:
            with closing(AnvilControls(other.url)) as elsewhere:
                elsewhere.set_next_base_fee(7)
                elsewhere.mine(6)
            proxy.point(other.url)
            with pytest.raises(NodesDisagree, match="block 1"):
                both.headers(1, 6)
        proxy.point(anvil.url)
        proxy.arm("drop_before")
        with pytest.raises(ChainUnreachable):
            both.headers(1, 6)
        proxy.disarm()
        assert len(both.headers(1, 6)) == 6
