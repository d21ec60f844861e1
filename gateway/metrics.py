"""What the gateway counts, for Prometheus: requests as they end, the rail's own state when asked.

Measures; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine, text

from settlement.store import reading

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_COUNTS = {
    "settle_invoices": ("Invoices by state.", "SELECT state, COUNT(*) FROM invoice GROUP BY state"),
    "settle_settlements": (
        "Settlements by state.",
        "SELECT state, COUNT(*) FROM settlement GROUP BY state",
    ),
    "settle_lanes": ("Signing lanes by state.", "SELECT state, COUNT(*) FROM lane GROUP BY state"),
}
_NUMBERS = {
    "settle_journal_entries": (
        "Journal entries.",
        "SELECT COALESCE(MAX(seq), 0) FROM journal_entry",
    ),
    "settle_open_breaks": (
        "Breaks that nobody has closed.",
        "SELECT COUNT(*) FROM settlement_break WHERE closed_at IS NULL",
    ),
    "settle_lanes_waiting": (
        "Working lanes that wait for gas money or for lower fees.",
        "SELECT COUNT(*) FROM lane WHERE state = 'active' AND reason IS NOT NULL",
    ),
    "settle_registry_differs": (
        "Wallets that are not on the chain what they are to be.",
        "SELECT COUNT(*) FROM registry_standing WHERE wanted <> actual",
    ),
    "settle_registry_differs_blocks": (
        "Blocks since which the oldest of them is not.",
        "SELECT COALESCE((SELECT number FROM cursor WHERE name = 'head') - MIN(differs_from_block),"
        " 0) FROM registry_standing WHERE wanted <> actual",
    ),
    "settle_head_block": (
        "Newest block that the watcher has stored.",
        "SELECT COALESCE(MAX(number), 0) FROM cursor",
    ),
}


class Metrics:
    """The counters of one gateway, in a registry of their own."""

    def __init__(self, engine: Engine) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "settle_requests", "Requests answered.", ("route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "settle_request_seconds",
            "Seconds until the answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._registry.register(_RailState(engine))
        # Looking a label up takes longer than counting.
        self._counters: dict[tuple[str, int], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    def count(self, route: str, status: int, seconds: float) -> None:
        """Note one answered request. `route` is a template, never a path with ids."""
        counter = self._counters.get((route, status))
        if counter is None:
            counter = self._requests.labels(route, str(status))
            self._counters[route, status] = counter
        counter.inc()
        histogram = self._histograms.get(route)
        if histogram is None:
            histogram = self._histograms[route] = self._seconds.labels(route)
        histogram.observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)


class _RailState(Collector):
    """States and counts, read from the database whenever somebody asks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        with reading(self._engine) as session:
            for name, (about, statement) in _COUNTS.items():
                family = GaugeMetricFamily(name, about, labels=("state",))
                for state, count in session.connection().execute(text(statement)):
                    family.add_metric([state], count)
                yield family
            for name, (about, statement) in _NUMBERS.items():
                number = session.connection().execute(text(statement)).scalar_one()
                yield GaugeMetricFamily(name, about, value=number)
