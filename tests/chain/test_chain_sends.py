"""A send is one request, whatever comes back; what is not understood is unknown."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from settlement.chain.evm import EvmChain
from settlement.chain.keccak import keccak
from settlement.chain.port import SendOutcome
from tests.builders.wire import http
from tests.chain.faulty_node import FAULTS, FaultyNode, one


@pytest.mark.parametrize("fault", FAULTS)
def test_a_send_with_an_unreadable_answer_is_unknown_and_happens_once(
    node: FaultyNode, fault: str
) -> None:
    node.answer = FAULTS[fault]
    node.keeps_alive = fault not in ("less than announced", "no HTTP")
    chain = EvmChain(node.url, 2.0)

    (answer,) = chain.send([b"\x02signed"])

    assert answer.outcome is SendOutcome.UNKNOWN
    assert answer.message
    assert len(node.requests) == 1
    chain.close()


def test_a_send_whose_answer_is_late_is_unknown_and_happens_once(node: FaultyNode) -> None:
    node.drip_seconds = 0.05
    chain = EvmChain(node.url, 0.2)

    (answer,) = chain.send([b"\x02signed"])

    assert answer.outcome is SendOutcome.UNKNOWN
    assert len(node.requests) == 1
    chain.close()


def test_a_send_answered_with_another_hash_is_unknown(node: FaultyNode) -> None:
    node.answer = one(result="0x" + "11" * 32)
    chain = EvmChain(node.url, 2.0)

    assert chain.send([b"\x02signed"])[0].outcome is SendOutcome.UNKNOWN

    node.answer = one(result="0x" + keccak(b"\x02signed").hex())
    assert chain.send([b"\x02signed"])[0].outcome is SendOutcome.ACCEPTED
    chain.close()


def test_many_sends_go_out_in_order_in_bounded_requests(node: FaultyNode) -> None:
    def accept(request: Any) -> bytes:
        calls = request if isinstance(request, list) else [request]
        answers = [
            {"id": each["id"], "result": "0x" + keccak(bytes.fromhex(each["params"][0][2:])).hex()}
            for each in calls
        ]
        return http(orjson.dumps(answers if isinstance(request, list) else answers[0]))

    node.answer = accept
    chain = EvmChain(node.url, 5.0)
    raws = [b"\x02" + bytes((n,)) * 60_000 for n in range(40)]

    answers = chain.send(raws)

    assert [answer.outcome for answer in answers] == [SendOutcome.ACCEPTED] * 40
    sent = [
        each["params"][0]
        for request in node.requests
        for each in (request if isinstance(request, list) else [request])
    ]
    assert sent == ["0x" + raw.hex() for raw in raws]
    assert max(len(orjson.dumps(request)) for request in node.requests) < 1_000_000
    chain.close()


def test_after_a_lost_answer_the_rest_is_not_sent(node: FaultyNode) -> None:
    node.answer = FAULTS["closes without a word"]
    chain = EvmChain(node.url, 5.0)

    answers = chain.send([b"\x02" + bytes((n,)) * 60_000 for n in range(40)])

    assert {answer.outcome for answer in answers} == {SendOutcome.UNKNOWN}
    assert (len(answers), len(node.requests)) == (40, 1)
    chain.close()
