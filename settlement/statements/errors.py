"""What a statement or an advice is refused for."""

from __future__ import annotations

from datetime import date

from settlement.errors import Conflict, Invalid


class DayNotBegun(Invalid):
    """There is no statement of a day that lies ahead."""

    def __init__(self, day: date) -> None:
        super().__init__(
            f"{day.isoformat()} has not begun (UTC)",
            field="day",
            repair="ask for today or a day before",
        )


class StatementTooLong(Invalid):
    """A page for people has an end; files for machines have none."""

    def __init__(self, count: int, most: int) -> None:
        super().__init__(
            f"the day has {count} entries, a PDF takes {most}",
            field="format",
            repair="ask for csv, xlsx or camt053",
        )


class NoSuchPage(Invalid):
    """The statement has fewer pages."""

    def __init__(self, page: int, last: int) -> None:
        super().__init__(
            f"there is no page {page}: the last is {last}", field="page", repair="ask for less"
        )


class NothingToAdvise(Conflict):
    """Only what has happened is told of: a message would claim more than is true."""

    def __init__(self, settlement_id: str, state: str, what: str, when: str) -> None:
        super().__init__(
            f"settlement {settlement_id} is {state}: a {what} is given {when}",
            field="format",
            repair="ask for pacs002 or pain002 to see how far it is, or come back later",
        )
