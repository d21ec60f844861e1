"""The proxy that puts faults between a client and a node: each does what its name says.

R1-R6, R12, R20, R21, R23 and R24 of the catalogue, as the chain port meets them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from settlement.chain.anvil import Anvil, AnvilOptions
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.dev_keys import dev_keys
from settlement.chain.evm import EvmChain
from settlement.chain.port import BlockRef, SendOutcome
from settlement.chain.signing import sign_eip1559
from settlement.errors import ChainUnreachable
from tests.builders.rpc_proxy import RpcProxy, steer

(PAYER,) = dev_keys(1)
TIMEOUT_SECONDS = 30.0
"""Where an answer comes, or a line is closed: as long as a busy machine may take."""
HURRIED_SECONDS = 0.6
"""Where it does not come in time, or not whole."""
NEVER_WHOLE = ("delay", "delay_after", "drip", "short_body")


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil(AnvilOptions(no_mining=True)) as made:
        with closing(AnvilControls(made.url)) as controls:
            controls.mine(5)
        yield made


@pytest.fixture
def proxy(anvil: Anvil) -> Iterator[RpcProxy]:
    with RpcProxy(anvil.url, seed=7) as made:
        yield made


@pytest.fixture
def chain(proxy: RpcProxy) -> Iterator[EvmChain]:
    with closing(EvmChain(proxy.url, TIMEOUT_SECONDS)) as made:
        yield made


@contextmanager
def patience(chain: EvmChain, fault: str) -> Iterator[None]:
    """The same line, with little patience while the answer is one that never comes whole."""
    if fault in NEVER_WHOLE:
        chain.rpc._timeout_seconds = HURRIED_SECONDS
    yield
    chain.rpc._timeout_seconds = TIMEOUT_SECONDS


@pytest.fixture
def signed(anvil: Anvil) -> Iterator[bytes]:
    """One chain transaction that nobody has seen yet; dropped again afterwards."""
    with closing(EvmChain(anvil.url)) as node, closing(AnvilControls(anvil.url)) as controls:
        yield sign_eip1559(
            PAYER.key,
            chain_id=node.identity().chain_id,
            nonce=node.nonce(PAYER.address),
            to=PAYER.address,
            data=b"",
            gas_limit=21_000,
            max_fee_wei=10**12,
            max_priority_fee_wei=10**9,
        )[0]
        controls.drop_all()


NOTHING_REACHES = ("drop_before", "reset_before", "too_many", "server_error", "swallow", "refuse")
LOST_AFTERWARDS = (
    "drop_after", "reset", "server_error_after", "truncated", "short_body", "wrong_id",
)  # fmt: skip


@pytest.mark.parametrize("fault", (*NOTHING_REACHES, *LOST_AFTERWARDS, "delay", "delay_after"))
def test_a_send_is_made_once_whatever_comes_back(
    proxy: RpcProxy, chain: EvmChain, signed: bytes, fault: str
) -> None:
    """R1 R2 R3 R4 R5 R6 R20: unknown where nothing is known, and the bytes leave us once."""
    proxy.arm(fault, count=1, number={"delay": 900, "delay_after": 900}.get(fault, 0))

    with patience(chain, fault):
        (answer,) = chain.send([signed])
    proxy.disarm()
    (again,) = chain.send([signed])

    expected = SendOutcome.ACCEPTED if fault == "swallow" else SendOutcome.UNKNOWN
    assert answer.outcome is expected
    assert again.outcome is SendOutcome.ACCEPTED
    assert proxy.asked["eth_sendRawTransaction"] == 2
    assert proxy.struck == {fault: 1}
    if fault in NOTHING_REACHES:
        assert proxy.forwarded["eth_sendRawTransaction"] == 1


def test_a_doubled_send_is_one_send_at_the_node(
    proxy: RpcProxy, chain: EvmChain, signed: bytes
) -> None:
    """R15: the second time the node says that it has it, and that is success."""
    proxy.arm("duplicate", method="eth_sendRawTransaction")

    assert chain.send([signed])[0].outcome is SendOutcome.ACCEPTED
    assert (proxy.asked.total(), proxy.forwarded.total()) == (1, 2)


READS = (*NOTHING_REACHES[:4], *LOST_AFTERWARDS, "refuse", "null")


@pytest.mark.parametrize("fault", READS)
def test_a_failed_read_says_so_and_the_next_one_works(
    proxy: RpcProxy, chain: EvmChain, fault: str
) -> None:
    """R6 R12: one kind of failure, and nothing left over for the next call."""
    proxy.arm(fault, method="eth_*", count=1)

    with patience(chain, fault), pytest.raises(ChainUnreachable):
        chain.head()

    assert chain.head().number == 5


def test_an_answer_that_comes_twice_is_not_taken_for_the_next_one(
    proxy: RpcProxy, chain: EvmChain
) -> None:
    """R24: what is left on a kept-alive line belongs to nobody."""
    proxy.arm("answer_twice", count=1)

    assert chain.head().number == 5
    assert chain.nonce(PAYER.address) == 0


def test_an_answer_to_the_call_before_is_refused(proxy: RpcProxy, chain: EvmChain) -> None:
    """R24: a mix-up of answers shows in their ids."""
    chain.head()
    proxy.arm("previous_answer", count=1)

    with pytest.raises(ChainUnreachable, match="not made"):
        chain.nonce(PAYER.address)


def test_answers_out_of_order_find_their_calls(proxy: RpcProxy, chain: EvmChain) -> None:
    """R21: a batch's answers are matched by id."""
    proxy.arm("shuffled")

    assert [each.number for each in chain.headers(0, 5)] == [0, 1, 2, 3, 4, 5]
    assert proxy.struck["shuffled"] >= 1


def test_a_batch_that_failed_in_part_has_failed(proxy: RpcProxy, chain: EvmChain) -> None:
    """R21: one refused call among good ones is not passed over."""
    proxy.arm("refuse", method="eth_getBlockByNumber", skip=2, count=1, words="try later")

    with pytest.raises(ChainUnreachable, match="try later"):
        chain.headers(0, 5)


def test_a_batch_of_sends_that_failed_in_part_says_which(
    proxy: RpcProxy, chain: EvmChain, signed: bytes
) -> None:
    """R21: each send has an answer of its own."""
    proxy.arm("refuse", method="eth_sendRawTransaction", count=1, words="boom")

    answers = chain.send([signed, signed])

    assert [each.outcome for each in answers] == [SendOutcome.UNKNOWN, SendOutcome.ACCEPTED]


def test_a_dripping_answer_ends_at_the_deadline(proxy: RpcProxy, chain: EvmChain) -> None:
    """R23: the time is for the whole answer, not for each byte."""
    proxy.arm("drip", number=50)

    with patience(chain, "drip"), pytest.raises(ChainUnreachable):
        chain.head()

    proxy.disarm()
    assert chain.head().number == 5


@pytest.mark.parametrize(("fault", "number", "newest"), [("stale_head", 2, 3), ("held_head", 1, 1)])
def test_a_late_node_is_late_in_all_that_it_says(
    proxy: RpcProxy, chain: EvmChain, fault: str, number: int, newest: int
) -> None:
    """R7: head, numbers and ranges end at the same block."""
    proxy.arm(fault, number=number)

    assert chain.head().number == newest
    assert [each.number for each in chain.headers(1, 5)][-1] == newest


def test_other_faults_change_what_they_are_about(proxy: RpcProxy, chain: EvmChain) -> None:
    """R18 R19: another chain id, and gas at a thousand times its price."""
    fair: BlockRef = chain.head()
    proxy.arm("wrong_chain", number=99)
    proxy.arm("gas_price")

    assert chain.identity().chain_id == 99
    assert chain.head().base_fee_wei == fair.base_fee_wei * 1000


def test_another_process_steers_the_proxy_by_calls(proxy: RpcProxy, chain: EvmChain) -> None:
    steer(proxy.url, "arm", fault="drop_before", method="eth_getBlock*", count=1)
    with pytest.raises(ChainUnreachable):
        chain.head()
    steer(proxy.url, "arm", fault="drop_before")
    steer(proxy.url, "disarm")
    chain.head()

    assert steer(proxy.url, "counts") == {
        "asked": {"eth_getBlockByNumber": 2},
        "forwarded": {"eth_getBlockByNumber": 1},
        "struck": {"drop_before": 1},
    }


def test_the_proxy_can_be_put_before_another_node(proxy: RpcProxy, chain: EvmChain) -> None:
    """R8 R19: what stands behind one address changes while it is used."""
    ours = chain.identity()
    with Anvil(AnvilOptions(no_mining=True, chain_id=77)) as other:
        steer(proxy.url, "point", upstream=other.url)

        assert chain.identity().chain_id == 77 != ours.chain_id


def test_the_same_seed_strikes_the_same_calls(anvil: Anvil) -> None:
    def run() -> list[bool]:
        heard = []
        with (
            RpcProxy(anvil.url, seed=3) as proxy,
            closing(EvmChain(proxy.url, TIMEOUT_SECONDS)) as chain,
        ):
            proxy.arm("drop_before", percent=40)
            for _ in range(12):
                try:
                    chain.head()
                    heard.append(True)
                except ChainUnreachable:
                    heard.append(False)
        return heard

    first, second = run(), run()

    assert first == second
    assert set(first) == {True, False}


def test_a_fault_that_does_not_exist_is_refused(proxy: RpcProxy) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        proxy.arm("dropbefore")
