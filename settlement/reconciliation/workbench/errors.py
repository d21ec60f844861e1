"""What the workbench refuses, and what to do instead."""

from __future__ import annotations

from settlement.errors import Conflict, Forbidden, Invalid


class BreakChanged(Conflict):
    """Somebody else, or the rail itself, was first: the break is not what was read."""

    def __init__(self, break_id: str, seen: int, now: int) -> None:
        super().__init__(
            f"break {break_id} is at version {now}, not {seen} any more",
            field="version",
            repair="read the break again, and act on what it is now",
        )


class BreakIsClosed(Conflict):
    """Nothing is done about a closed break."""

    def __init__(self, break_id: str, why: str) -> None:
        super().__init__(
            f"break {break_id} is closed: {why}", repair="re-open it first, if it has to be"
        )


class BreakIsOpen(Conflict):
    """Only a closed break is re-opened."""

    def __init__(self, break_id: str) -> None:
        super().__init__(f"break {break_id} is open", repair="work on it as it is")


class ActMakesNoSense(Conflict):
    """The act does not mend this kind of break."""

    def __init__(self, act: str, kind: str, instead: str) -> None:
        super().__init__(
            f"{act} does not mend a break of kind {kind}", field="action", repair=instead
        )


class NothingLeft(Conflict):
    """Less is left of the break, or of what it is to be set against, than was asked for."""

    def __init__(self, what: str, left: str) -> None:
        super().__init__(
            f"only {left} is left of {what}",
            field="amount",
            repair="name an amount up to that, or leave it out",
        )


class NotThisMoney(Conflict):
    """The money of the break cannot pay what was named."""


class ReturnImpossible(Conflict):
    """The money cannot be sent back over the rail."""


class SameHand(Forbidden):
    """Nobody decides about what he has proposed himself, nor twice."""

    def __init__(self, proposal_id: str, actor: str, what: str) -> None:
        super().__init__(
            f"{actor} has {what} {proposal_id}",
            repair="somebody else decides: an approver with a key of his own",
        )


class OverTheLimit(Forbidden):
    """The role may not propose this much."""

    def __init__(self, act: str, amount: str, limit: str) -> None:
        super().__init__(
            f"{act} of {amount} is over the limit of {limit}",
            field="amount",
            repair="correct the cause instead, or have the limits changed",
        )


class ProposalOutdated(Conflict):
    """What was proposed was about another state of the break."""

    def __init__(self, proposal_id: str) -> None:
        super().__init__(
            f"the break has changed since {proposal_id} was proposed",
            repair="refuse it, read the break again, and propose anew",
        )


class ProposalOpen(Conflict):
    """A break has one open proposal at a time."""

    def __init__(self, proposal_id: str) -> None:
        super().__init__(
            f"{proposal_id} is open for this break", repair="decide about it first, or withdraw it"
        )


class NothingToUndo(Conflict):
    """No act of that name stands, or what it led to cannot be taken back."""


class SheetUnreadable(Invalid):
    """The file is no list of breaks as `settle break export` writes it."""
