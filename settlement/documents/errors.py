"""Why a document is refused: every failed rule at once, each with its place and its repair.

Knows no HTTP. One class a kind of refusal; all carry `failures`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from settlement.errors import Refused, Retryable

FAILURES_MAX = 100
"""More failures than this help nobody; the rest is counted in the last one."""


@dataclass(frozen=True, slots=True)
class RuleFailure:
    """One rule that the document breaks.

    `rule_id` is the standard's (BR-CO-15) or ours (SR-…), `location` an XPath with prefixes or a
    JSON pointer, `found` what stands there, `repair` what the sender does about it.
    """

    rule_id: str
    location: str
    found: str
    message: str
    repair: str

    def as_json(self) -> dict[str, str]:
        """Return the failure as plain JSON values."""
        return asdict(self)


class DocumentRejected(Refused):
    """The document breaks at least one rule; every one of them is told."""

    def __init__(self, failures: Iterable[RuleFailure]) -> None:
        self.failures = _bounded(tuple(failures))
        assert self.failures, "a refusal names its rule"
        ids = list(dict.fromkeys(failure.rule_id for failure in self.failures))
        count = len(self.failures)
        noun = "place" if count == 1 else "places"
        super().__init__(
            f"the document breaks {', '.join(ids[:12])} in {count} {noun}",
            field=self.failures[0].location,
            repair=self.failures[0].repair,
        )


class DocumentUnreadable(DocumentRejected):
    """The bytes cannot be read: not well-formed, cut short, encrypted, or with a DOCTYPE."""


class DocumentTooLarge(DocumentRejected):
    """The document, or what it unpacks to, is larger than is accepted."""


class UnknownDocumentType(DocumentRejected):
    """The bytes are neither UBL, CII, a PDF nor JSON."""


class RulesEngineBusy(Retryable):
    """More documents wait for the rules than are accepted at once."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} documents wait for the rules already")
        self.waiting = waiting


class RulesEngineClosed(Retryable):
    """The rules engine is not running: not started yet, or closed already."""

    def __init__(self) -> None:
        super().__init__("the rules engine is not running")


def _bounded(failures: tuple[RuleFailure, ...]) -> tuple[RuleFailure, ...]:
    if len(failures) <= FAILURES_MAX:
        return failures
    rest = len(failures) - FAILURES_MAX + 1
    last = RuleFailure(
        "SR-MORE",
        "/",
        str(rest),
        f"{rest} further failures are not listed",
        "Mend the listed ones first, then send the document again.",
    )
    return (*failures[: FAILURES_MAX - 1], last)
