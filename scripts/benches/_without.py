"""The rail built without one of its guarantees, to measure what that guarantee costs.

These builds are measured and thrown away; nothing here is ever deployed outside a bench. A few gas
either way are the compiler's: another build keeps its values in other places.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from scripts.benches._node import ROOT, artifact

CONTRACTS = ROOT / "contracts"
RAIL = "src/SettlementRail.sol"
CALL = "src/libraries/TokenCall.sol"

Edit = tuple[str, str, str]

# Each edit is (file, text that must be there exactly once, what takes its place).
GUARANTEES: dict[str, list[Edit]] = {
    "exactly_once": [
        (RAIL, "Word storage word = _settled[debtor][wordIndex];", "Word storage word;"),
        (RAIL, "uint256 bits = word.bits;", "assembly { word.slot := 0 } uint256 bits = 0;"),
        (RAIL, "if (sequence >> 8 != wordIndex) {", "if (false) {"),
        (RAIL, "word.bits = bits | bit;", ""),
        (RAIL, "bits |= bit;", ""),
    ],
    "mandate": [
        (RAIL, "and(lt(sub(amount, 1), capPerPayment), iszero(gt(amount, leftToday)))", "1"),
        (RAIL, "leftToday -= amount;", ""),
        (RAIL, "Mandate memory mandate = _mandates[debtor][token];", "Mandate memory mandate;"),
        (RAIL, "else if (mandate.capPerDay == 0)", "else if (false)"),
        (RAIL, "else if (block.timestamp > mandate.expiry)", "else if (false)"),
    ],
    "listed_participants": [
        (RAIL, "bool isListed = _participants[creditor];", "bool isListed = true;"),
        (RAIL, "if (!_participants[debtor]) batch.refusal", "if (false) batch.refusal"),
    ],
    "event_with_reference": [
        (RAIL, "emit Settled(debtor, sequence, ref, token, creditor, amount);", ""),
    ],
    "bounded_gas": [
        (RAIL, "if (gasleft() < GAS_NEEDED) revert", "if (false) revert"),
        (CALL, "call(gasBound, token", "call(gas(), token"),
    ],
    "watched_code": [
        (RAIL, "bytes31(token.codehash) != listing.codeHash", "false"),
    ],
    "no_reentrancy_and_pause": [
        (RAIL, "external nonReentrant whenNotPaused", "external"),
    ],
}


def rail_without(guarantee: str) -> str:
    """Creation code of the rail without `guarantee`; with "none" it is the shipped rail's."""
    sources = {name: _read(name) for name in _shipped_sources()}
    for name, there, instead in GUARANTEES.get(guarantee, []):
        if sources[name].count(there) != 1:
            raise RuntimeError(f"{name} does not have {there!r} once: mend the bench")
        sources[name] = sources[name].replace(there, instead)
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {
            **artifact("SettlementRail")["compiler"]["settings"],
            "remappings": ["@openzeppelin/=node_modules/@openzeppelin/"],
            "outputSelection": {RAIL: {"SettlementRail": ["evm.bytecode.object"]}},
        },
    }
    answer = _compile(request)
    problems = [e for e in answer.get("errors", []) if e["severity"] == "error"]
    if problems:
        raise RuntimeError(f"without {guarantee}: {problems[0]['formattedMessage']}")
    bytecode = answer["contracts"][RAIL]["SettlementRail"]["evm"]["bytecode"]["object"]
    return "0x" + str(bytecode)


def _compile(request: dict[str, Any]) -> dict[str, Any]:
    ran = subprocess.run(
        ["tools/solc", "--standard-json", "--base-path", "."],
        cwd=CONTRACTS,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def _shipped_sources() -> list[str]:
    return [str(path.relative_to(CONTRACTS)) for path in sorted((CONTRACTS / "src").rglob("*.sol"))]


def _read(name: str) -> str:
    return (Path(CONTRACTS) / name).read_text(encoding="utf-8")
