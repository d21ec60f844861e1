"""The whole journey of an invoice, from any one of its ids or hashes, in a fixed number of queries.

Reads everything, changes nothing, asks no node.
"""

from settlement.trace.journey import (
    AttemptStep,
    BreakStep,
    ChainTxStep,
    ClearanceStep,
    EntryStep,
    InvoiceStep,
    Journey,
    LineStep,
    LogStep,
    MatchStep,
    Move,
    Party,
    SettlementStep,
    Trace,
)
from settlement.trace.keys import KeyKind, parse_key
from settlement.trace.tracing import trace

__all__ = [
    "AttemptStep",
    "BreakStep",
    "ChainTxStep",
    "ClearanceStep",
    "EntryStep",
    "InvoiceStep",
    "Journey",
    "KeyKind",
    "LineStep",
    "LogStep",
    "MatchStep",
    "Move",
    "Party",
    "SettlementStep",
    "Trace",
    "parse_key",
    "trace",
]
