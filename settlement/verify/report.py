"""The checker's answer, as a table for people and as JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from settlement.verify.findings import Finding
from settlement.verify.scene import Scene

_WORDS = {True: "ok", False: "VIOLATED", None: "not judged"}


def as_json(scene: Scene, findings: Sequence[Finding], milliseconds: int) -> str:
    """Return the answer as one JSON object."""
    answer: dict[str, Any] = {
        "ok": verdict(findings),
        "chain_id": scene.chain_id,
        "rail": scene.rail,
        "head": scene.head.number,
        "block": {"number": scene.at.number, "hash": scene.at.hash},
        "confirmations": scene.confirmations,
        "quiescent": scene.quiescent,
        "milliseconds": milliseconds,
        "checks": [finding.as_json() for finding in findings],
    }
    return json.dumps(answer, indent=2)


def as_text(scene: Scene, findings: Sequence[Finding], milliseconds: int) -> str:
    """Return the answer as lines of text."""
    lines = [
        f"rail {scene.rail} on chain {scene.chain_id}, judged at final block {scene.at.number}"
        f" {scene.at.hash} (head {scene.head.number}, {scene.confirmations} confirmations)",
        "",
    ]
    width = max(len(finding.title) for finding in findings)
    for finding in findings:
        counts = ", ".join(f"{value} {name}" for name, value in _shown(finding))
        lines.append(
            f"{finding.name:<9} {finding.title:<{width}}  {_WORDS[finding.ok]:<10}  {counts}"
        )
        lines += [f"{'':<11}- {sentence}" for sentence in finding.offenders]
        hidden = finding.offender_count - len(finding.offenders)
        if hidden > 0:
            lines.append(f"{'':<11}- and {hidden} more")
    held = sum(finding.ok is True for finding in findings)
    lines += ["", f"{held} of {len(findings)} hold, {milliseconds} ms"]
    return "\n".join(lines)


def verdict(findings: Sequence[Finding]) -> bool | None:
    """Return False if one is violated, None if one could not be judged, else True."""
    answers = [finding.ok for finding in findings]
    if False in answers:
        return False
    return None if None in answers else True


def _shown(finding: Finding) -> list[tuple[str, object]]:
    return [
        (name.replace("_", " "), value)
        for name, value in finding.counts.items()
        if isinstance(value, int)
    ]
