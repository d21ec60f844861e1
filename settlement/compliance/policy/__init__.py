"""Policy packs: dated data files, checked when read, and evaluated over one settlement's facts.

Pure but for `load`; knows no database. The strictest outcome of all rules wins.

    model       outcomes, rules, packs, a policy
    subject     what rules look at: `Facts`
    windows     sums over time, limits in a currency, rates
    predicates  what rules are made of, by noun
    marked      YAML that knows its lines
    reading     files into a policy
    tables      rates and goods from CSV
    evaluation  a policy over facts
"""

from settlement.compliance.policy.evaluation import Judge, evaluate, strictest
from settlement.compliance.policy.model import (
    Outcome,
    Pack,
    PackInvalid,
    Policy,
    Rule,
    Status,
    Verdict,
)
from settlement.compliance.policy.names import fold
from settlement.compliance.policy.reading import (
    FLAG,
    PACKS,
    files_of,
    load,
    read,
    require_always_on,
)
from settlement.compliance.policy.subject import (
    NO_TRADE,
    Asset,
    Facts,
    Pair,
    Party,
    Payment,
    Trade,
)
from settlement.compliance.policy.windows import Tables, Window

__all__ = [
    "FLAG",
    "NO_TRADE",
    "PACKS",
    "Asset",
    "Facts",
    "Judge",
    "Outcome",
    "Pack",
    "PackInvalid",
    "Pair",
    "Party",
    "Payment",
    "Policy",
    "Rule",
    "Status",
    "Tables",
    "Trade",
    "Verdict",
    "Window",
    "evaluate",
    "files_of",
    "fold",
    "load",
    "read",
    "require_always_on",
    "strictest",
]
