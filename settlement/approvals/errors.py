"""What a request for a second person refuses, and what to do instead."""

from __future__ import annotations

from settlement.errors import Conflict, Fatal, Forbidden


class MatrixInvalid(Fatal):
    """The approval matrix cannot be used: nothing is approved by half a matrix."""

    def __init__(self, name: str, line: int, fault: str) -> None:
        super().__init__(f"approval matrix {name}, line {line}: {fault}")
        self.line = line


class NoApprovalRule(Forbidden):
    """The matrix has no row for this kind, amount and maker's role: it is refused, not waved on."""

    def __init__(self, kind: str, role: str, amount: str) -> None:
        super().__init__(
            f"no row of the approval matrix lets role {role} ask for {kind} of {amount}",
            field="kind",
            repair="ask with a role that the matrix names, or have a row added to it",
        )


class SamePerson(Forbidden):
    """Nobody decides about what he has made himself, nor twice: not with another key either."""

    def __init__(self, approval_id: str, hand: str, what: str) -> None:
        super().__init__(
            f"{hand} has {what} {approval_id}",
            repair="another person decides: a second key of the same person is the same hand",
        )


class NotTheMaker(Forbidden):
    """Only whoever asked takes a request back."""

    def __init__(self, approval_id: str) -> None:
        super().__init__(
            f"{approval_id} was asked for by somebody else",
            repair="refuse it instead, if your role may decide about it",
        )


class NotAnApprover(Forbidden):
    """The role may not decide about this request."""

    def __init__(self, approval_id: str, role: str, roles: tuple[str, ...]) -> None:
        super().__init__(
            f"role {role} may not decide about {approval_id}",
            repair=f"this is decided by: {', '.join(roles) or 'nobody'}",
        )


class ApprovalNotOpen(Conflict):
    """The request has ended: approved, refused, withdrawn, lapsed or void."""

    def __init__(self, approval_id: str, state: str) -> None:
        super().__init__(
            f"approval {approval_id} is {state}, not open",
            repair="read it again; where it is still wanted, ask anew",
        )
        self.state = state


class SeenOutdated(Conflict):
    """What was seen is not what would be approved."""

    def __init__(self, approval_id: str) -> None:
        super().__init__(
            f"what was seen of approval {approval_id} is not what it is about now",
            field="what_hash",
            repair="read it again, look at its terms, and decide with the what_hash shown there",
        )


class ApprovalOpen(Conflict):
    """A subject has one open request of a kind at a time."""

    def __init__(self, kind: str, subject: str, approval_id: str) -> None:
        super().__init__(
            f"{approval_id} is open for {kind} of {subject} already",
            repair="decide about it first, or withdraw it",
        )
        self.approval_id = approval_id
