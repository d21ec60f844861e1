"""What a node says of a block is believed only where it agrees with the block's own header."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from settlement.chain.bloom import bloom, may_hold
from settlement.chain.port import BlockRef, Hash
from settlement.chain.receipts import WrongShape, block_receipts, block_ref

BLOCK_HASH = Hash("0x" + "ab" * 32)
OTHER_HASH = "0x" + "cd" * 32
ADDRESS = "0x" + "Aa" * 20


def a_block(tx_count: int = 2, has_logs: bool = True) -> BlockRef:
    words = [ADDRESS, "0x" + "01" * 32, *(f"0x{index + 9:064x}" for index in range(3))]
    bits = f"0x{bloom(words if has_logs else ()):0512x}"
    return BlockRef(7, BLOCK_HASH, Hash(OTHER_HASH), 1, tx_count, has_logs, 5, bits)


def a_log(index: int) -> dict[str, Any]:
    return {
        "address": ADDRESS,
        "topics": ["0x" + "01" * 32, f"0x{index + 9:064x}"],
        "data": "0x03",
        "blockHash": BLOCK_HASH,
        "logIndex": hex(index),
    }


def a_receipt(index: int, logs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "blockHash": BLOCK_HASH,
        "transactionHash": f"0x{index + 1:064x}",
        "transactionIndex": hex(index),
        "from": ADDRESS,
        "to": None if index else ADDRESS,
        "status": "0x1",
        "gasUsed": "0x5208",
        "effectiveGasPrice": "0x7",
        "logs": logs,
    }


def an_answer() -> list[dict[str, Any]]:
    return [a_receipt(0, [a_log(0), a_log(1)]), a_receipt(1, [a_log(2)])]


def test_receipts_are_read_with_lower_case_addresses() -> None:
    first, second = block_receipts(a_block(), an_answer())

    assert (first.sender, first.to, second.to) == (ADDRESS.lower(), ADDRESS.lower(), None)
    assert (first.status, first.gas_used, first.gas_price_wei) == (1, 21_000, 7)
    assert [log.log_index for log in first.logs + second.logs] == [0, 1, 2]
    assert first.logs[0] == (ADDRESS.lower(), ("0x" + "01" * 32, f"0x{9:064x}"), "0x03", 0)


Lie = Callable[[list[dict[str, Any]]], object]


def _last_log_gone(answer: list[dict[str, Any]]) -> None:
    answer[1]["logs"].clear()


def _first_log_gone_and_renumbered(answer: list[dict[str, Any]]) -> None:
    answer[0]["logs"].pop(0)
    answer[0]["logs"][0]["logIndex"], answer[1]["logs"][0]["logIndex"] = "0x0", "0x1"


LIES: dict[str, Lie] = {
    "the last log is missing": _last_log_gone,
    "the first log is missing, its number too": _first_log_gone_and_renumbered,
    "a log more": lambda answer: answer[1]["logs"].append(a_log(3)),
    "a log of another contract": lambda answer: answer[1]["logs"][0].update(
        address="0x" + "ef" * 20
    ),
    "another topic": lambda answer: answer[1]["logs"][0]["topics"].__setitem__(1, "0x" + "07" * 32),
    "a topic less": lambda answer: answer[1]["logs"][0]["topics"].pop(),
    "a topic that is a number": lambda answer: answer[1]["logs"][0]["topics"].__setitem__(1, 7),
    "a receipt is missing": lambda answer: answer.pop(),
    "a receipt is of another block": lambda answer: answer[0].update(blockHash=OTHER_HASH),
    "a receipt is out of order": lambda answer: answer.reverse(),
    "a receipt twice": lambda answer: answer.__setitem__(1, copy.deepcopy(answer[0])),
    "a log is of another block": lambda answer: answer[1]["logs"][0].update(blockHash=OTHER_HASH),
    "the first log is missing": lambda answer: answer[0]["logs"].pop(0),
    "a log in the middle is missing": lambda answer: answer[0]["logs"].pop(),
    "a log twice": lambda answer: answer[1]["logs"].insert(0, a_log(1)),
    "no logs at all": lambda answer: [each["logs"].clear() for each in answer],
    "no status": lambda answer: answer[0].pop("status"),
    "a status that is no number": lambda answer: answer[0].update(status="0xzz"),
    "a status that is nothing": lambda answer: answer[0].update(status=None),
    "logs that are no list": lambda answer: answer[0].update(logs=None),
    "a receipt that is text": lambda answer: answer.__setitem__(0, "0x"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_contradiction_is_not_believed(lie: str) -> None:
    answer = an_answer()
    LIES[lie](answer)

    with pytest.raises(WrongShape):
        block_receipts(a_block(), answer)


def test_receipts_without_logs_are_not_believed_out_of_order() -> None:
    answer = [a_receipt(1, []), a_receipt(0, [])]

    with pytest.raises(WrongShape):
        block_receipts(a_block(has_logs=False), answer)
    assert len(block_receipts(a_block(has_logs=False), answer[::-1])) == 2


def test_logs_in_a_block_whose_header_has_none_are_not_believed() -> None:
    with pytest.raises(WrongShape):
        block_receipts(a_block(has_logs=False), an_answer())


@pytest.mark.parametrize("answer", [None, {}, "0x", 5])
def test_an_answer_that_is_no_list_is_not_believed(answer: Any) -> None:
    with pytest.raises(WrongShape):
        block_receipts(a_block(), answer)


def a_header(**changes: Any) -> dict[str, Any]:
    fields = {
        "number": "0x7",
        "hash": BLOCK_HASH,
        "parentHash": OTHER_HASH,
        "timestamp": "0x10",
        "transactions": ["0x1", "0x2"],
        "logsBloom": "0x" + "00" * 256,
        "baseFeePerGas": "0x5",
    }
    return {**fields, **changes}


def test_a_header_is_read() -> None:
    empty = block_ref(a_header())
    with_logs = block_ref(a_header(logsBloom="0x" + "00" * 255 + "10"))

    no_bits = "0x" + "00" * 256
    assert empty == BlockRef(7, BLOCK_HASH, Hash(OTHER_HASH), 16, 2, False, 5, no_bits)
    assert with_logs.has_logs
    assert block_ref(a_header(baseFeePerGas=None)).base_fee_wei == 0


@pytest.mark.parametrize("answer", [None, "0x", {}, a_header(number=None), a_header(number="7x")])
def test_what_is_no_header_is_not_believed(answer: Any) -> None:
    with pytest.raises(WrongShape):
        block_ref(answer)


def test_a_filter_tells_what_a_block_cannot_hold() -> None:
    bits = bloom([ADDRESS])

    assert may_hold(bits, ADDRESS.lower())
    assert not may_hold(bits, "0x" + "01" * 32)
    assert not may_hold(0, ADDRESS)


def test_the_filter_is_the_one_of_the_standard() -> None:
    """Three bits of the digest, each by 11 bits of a pair of bytes, the lowest at the end."""
    digest_of_nothing = bytes.fromhex("c5d2460186f7")  # Of Keccak-256 of no bytes at all.
    pairs = [int.from_bytes(digest_of_nothing[place : place + 2]) for place in (0, 2, 4)]

    assert bloom(["0x"]) == sum(1 << (pair % 2048) for pair in pairs)
