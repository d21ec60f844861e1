"""The shipped artifacts are what the sources compile to, and say nothing of a machine."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from settlement.chain.keccak import keccak

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
ARTIFACTS = ROOT / "settlement/chain/artifacts"
SHIPPED = sorted(ARTIFACTS.rglob("*.json"))


def test_the_artifacts_are_what_the_sources_compile_to() -> None:
    ran = _compared(CONTRACTS)

    assert ran.returncode == 0, ran.stderr


def test_a_changed_source_is_noticed_and_named(tmp_path: Path) -> None:
    contracts = _copied(tmp_path)
    source = contracts / "test/tokens/Multisend.sol"
    before = _compared(contracts, "testing/Multisend")
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("terms[i] >> 96", "terms[i] >> 97"), encoding="utf-8")

    after = _compared(contracts, "testing/Multisend")

    assert before.returncode == 0, before.stderr
    assert after.returncode == 1
    assert "testing/Multisend.json differs from its source" in after.stderr


def test_a_changed_artifact_is_noticed_and_written_anew(tmp_path: Path) -> None:
    contracts = _copied(tmp_path)
    artifact = tmp_path / "settlement/chain/artifacts/testing/Multisend.json"
    right = artifact.read_bytes()
    artifact.write_bytes(right.replace(b"0x60", b"0x61", 1))

    noticed = _compared(contracts, "testing/Multisend")
    written = _ran(contracts, "testing/Multisend")

    assert noticed.returncode == 1
    assert written.returncode == 0, written.stderr
    assert artifact.read_bytes() == right


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_an_artifact_has_what_deployment_and_checking_need(path: Path) -> None:
    artifact = json.loads(path.read_text(encoding="utf-8"))

    code = bytes.fromhex(artifact["deployedBytecode"].removeprefix("0x"))
    assert artifact["contractName"] == path.stem
    assert artifact["deployedBytecodeHash"] == "0x" + keccak(code).hex()
    assert 0 < len(code) <= 24_576, "EIP-170 refuses larger code"
    assert len(artifact["bytecode"]) > len(artifact["deployedBytecode"])
    assert artifact["compiler"]["version"].startswith("0.8.37+")
    assert all(code[start : start + size] == bytes(size) for start, size in _places(artifact))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_an_artifact_says_nothing_of_the_machine_that_compiled_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert str(ROOT) not in text
    assert not re.search(r'"(/|[A-Za-z]:\\|file:)', text), "an absolute path"


def test_the_rails_errors_and_events_are_in_its_abi() -> None:
    abi = json.loads((ARTIFACTS / "SettlementRail.json").read_text(encoding="utf-8"))["abi"]

    events = {entry["name"] for entry in abi if entry["type"] == "event"}
    assert {"Settled", "Rejected", "MandateSet", "MandateRevoked", "TokenListed"} <= events
    errors = {entry["name"] for entry in abi if entry["type"] == "error"}
    assert {"SettlementRail_NotOperator", "SettlementRail_PastDeadline"} <= errors


def _copied(folder: Path) -> Path:
    """The contracts and their artifacts, where a test may change them."""
    contracts = folder / "contracts"
    shutil.copytree(
        CONTRACTS, contracts, ignore=shutil.ignore_patterns("node_modules", "out", "cache")
    )
    (contracts / "node_modules").symlink_to(CONTRACTS / "node_modules")
    shutil.copytree(ARTIFACTS, folder / "settlement/chain/artifacts")
    return contracts


def _compared(contracts: Path, *names: str) -> "subprocess.CompletedProcess[str]":
    return _ran(contracts, "--check", *names)


def _ran(contracts: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = ["node", "tools/artifacts", *words]
    return subprocess.run(
        command, cwd=contracts, capture_output=True, text=True, check=False, timeout=240
    )


def _places(artifact: dict[str, list[tuple[int, int]]]) -> list[tuple[int, int]]:
    return artifact["immutablePlaces"]
