"""The checker as a function over a node in this process: the form that a simulation calls."""

from __future__ import annotations

import pytest

from settlement.chain.memory import MemoryChain
from settlement.verify.judging import violations
from settlement.verify.rpc import NotJudged
from tests.builders.memory_node import MemoryNode
from tests.verify.conftest import Patient


def test_a_healthy_world_has_no_violations(patient: Patient) -> None:
    assert violations(patient.url, MemoryNode(patient.world.chain), quiescent=True) == []


def test_what_is_violated_comes_with_name_and_evidence(patient: Patient) -> None:
    patient.harm("UPDATE lane SET next_nonce = next_nonce + 5")

    (found,) = violations(patient.url, MemoryNode(patient.world.chain))

    assert (found.name, found.ok, found.counts["signers"]) == ("I8", False, 1)
    assert "next nonce is" in found.offenders[0]


def test_both_ways_to_a_node_give_one_verdict(patient: Patient) -> None:
    patient.harm("UPDATE clearance SET outcome = 'HOLD'")

    in_process = violations(patient.url, MemoryNode(patient.world.chain))

    assert [found.as_json() for found in in_process] == [
        found.as_json() for found in violations(patient.url, patient.node.url)
    ]


def test_another_chain_is_not_judged(patient: Patient) -> None:
    with pytest.raises(NotJudged, match="genesis"):
        violations(patient.url, MemoryNode(MemoryChain(seed=5)))


def test_a_node_in_memory_forgets_what_a_reorg_took() -> None:
    chain = MemoryChain(automine=False)
    chain.mine(3)
    node = MemoryNode(chain)
    old = node("eth_getBlockByNumber", ["0x3", False])
    chain.reorg(1)

    new = node("eth_getBlockByNumber", ["latest", False])

    assert new["number"] == old["number"] == "0x3"
    assert new["hash"] != old["hash"]
    assert node("eth_getBlockByHash", [old["hash"], False]) is None
    assert node("eth_getBlockReceipts", [old["hash"]]) is None
    assert node("eth_getBlockByNumber", ["0x4", False]) is None
