"""Why a version of the policy is not put in force. Decides nothing."""

from collections.abc import Sequence

from settlement.errors import Conflict


class OwnPolicy(Conflict):
    """Nobody publishes the rules that he wrote himself."""

    def __init__(self, version: int, actor: str) -> None:
        super().__init__(
            f"policy {version} was drafted by {actor}: nobody publishes his own",
            field="version",
            repair="ask a second person",
        )


class PolicyDecided(Conflict):
    """The version was published already."""

    def __init__(self, version: int, by: str) -> None:
        super().__init__(
            f"policy {version} was published by {by}",
            field="version",
            repair="draft a changed one",
        )


class PolicyOutdated(Conflict):
    """The draft was made on a version that is in force no more: it would undo what came after."""

    def __init__(self, version: int, in_force: int) -> None:
        super().__init__(
            f"policy {version} was not made on version {in_force}, which is in force",
            field="version",
            repair="make the draft anew on the version in force",
        )


class PolicyTakesBack(Conflict):
    """Other versions wait for their day than whoever approves has seen."""

    def __init__(self, version: int, waiting: Sequence[int]) -> None:
        shown = ", ".join(str(each) for each in waiting) or "no version"
        super().__init__(
            f"policy {version} would take back what waits for its day, which is {shown} now",
            field="version",
            repair="withdraw the request, and ask anew",
        )
