"""The overseer's views: each a list of columns, and how its rows are read, a page at a time.

Knows no format. Rows come in the order of their first column, which names them.
"""

from collections.abc import Mapping

from settlement.supervision.views import parties, payments, records
from settlement.supervision.views.reading import EXPORT_MAX, View

VIEWS: Mapping[str, View] = {
    view.name: view
    for view in (
        payments.TRANSACTIONS,
        payments.BLOCKED,
        payments.REJECTED,
        parties.PARTICIPANTS,
        parties.HOLDINGS,
        records.SCREENINGS,
        records.POLICIES,
        records.LISTS,
        records.REPORTS,
    )
}

__all__ = ["EXPORT_MAX", "VIEWS", "View"]
