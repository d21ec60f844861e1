"""One check's answer: held, violated or not judged, with the evidence for it.

Decides nothing: a check is violated when something was brought forward against it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_SHOWN = 5


@dataclass(slots=True)
class Finding:
    """What one check counted, and the first sentences that speak against it."""

    name: str
    """I1 to I16 as in docs/architecture.md, or the check's own word."""
    title: str
    counts: dict[str, Any] = field(default_factory=dict)
    offenders: list[str] = field(default_factory=list)
    offender_count: int = 0
    judged: bool = True

    @property
    def ok(self) -> bool | None:
        """True: held. False: violated. None: could not be judged."""
        if self.offender_count:
            return False
        return True if self.judged else None

    def against(self, sentence: str) -> None:
        """Bring a fact forward that must not be; the first few are kept in words."""
        self.offender_count += 1
        if len(self.offenders) < _SHOWN:
            self.offenders.append(sentence)

    def as_json(self) -> dict[str, Any]:
        """Return `{name, title, ok, evidence}`."""
        evidence = dict(self.counts)
        evidence["offender_count"] = self.offender_count
        evidence["offenders"] = self.offenders
        return {"name": self.name, "title": self.title, "ok": self.ok, "evidence": evidence}
