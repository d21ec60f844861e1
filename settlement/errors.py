"""The exception tree of the rail: facts, and a sentence made of them.

Knows nothing of HTTP; `gateway/statuses.py` gives a class its status.

    RailError
    ├── Refused      the caller's fault; nothing was changed
    │   ├── NotFound, Forbidden, Conflict, Invalid … and their children, next to their nouns
    ├── Retryable    the same call may succeed later; nothing was changed
    └── Fatal        the worker stops and a person looks
"""


class RailError(Exception):
    """The root: everything that the rail raises on purpose."""


class Refused(RailError):
    """The caller asked for something that cannot be done. Nothing was changed.

    `field` is the place in the request (a JSON pointer or a parameter's name), `repair` says what
    to do.
    """

    field: str | None = None
    repair: str | None = None

    def __init__(
        self, message: str, *, field: str | None = None, repair: str | None = None
    ) -> None:
        super().__init__(message)
        if field is not None:
            self.field = field
        if repair is not None:
            self.repair = repair


class Retryable(RailError):
    """The same call may succeed later. Nothing was changed."""


class Fatal(RailError):
    """What was found must not be: the worker stops here and a person looks."""


class NotFound(Refused):
    """There is no such thing, or it is not the caller's to see."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"there is no {kind} {key}", repair=f"check the {kind}'s id")
        self.kind, self.key = kind, key


class Forbidden(Refused):
    """The caller's role does not allow this."""


class Conflict(Refused):
    """What is stored already contradicts what was asked."""


class Invalid(Refused):
    """A value is outside what is accepted; `field` says which."""


class IllegalMove(Conflict):
    """The state table has no such move from the present state."""

    def __init__(self, noun: str, key: str, state: str, move: str) -> None:
        super().__init__(
            f"{noun} {key} is {state}; {move!r} is not possible from there",
            repair=f"read the {noun} again: somebody may have moved it",
        )
        self.noun, self.key, self.state, self.move = noun, key, state, move


class IdempotencyKeyMissing(Refused):
    """A route that moves money needs an Idempotency-Key."""

    def __init__(self, route: str) -> None:
        super().__init__(
            f"{route} needs the header Idempotency-Key",
            field="Idempotency-Key",
            repair="send a key of up to 255 characters that is unique for this operation",
        )


class IdempotencyConflict(Refused):
    """The same key came with another body."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"Idempotency-Key {key!r} was used with another body",
            field="Idempotency-Key",
            repair="use a new key for a new operation, or send the first body again",
        )


class IdempotencyInFlight(Retryable):
    """The first request with this key has not been answered yet."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the first request with Idempotency-Key {key!r} is still in flight")


class ChainUnreachable(Retryable):
    """The node did not answer, or its answer could not be read: what happened there is unknown."""


class ForeignChain(Fatal):
    """The node is not on the chain that this database belongs to."""


class ChainContradicts(Fatal):
    """The chain shows what our records say cannot be."""


class ReorgTooDeep(Fatal):
    """The chain replaced a block that was final."""


class LeaseLost(Retryable):
    """Another worker holds the lane; this one must not write any more."""


class StoreCorrupt(Fatal):
    """The database contradicts itself."""
