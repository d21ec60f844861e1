"""The predicates that rules are made of, by name. Each finds something in words, or nothing."""

from collections.abc import Mapping

from settlement.compliance.policy.predicates.amounts import AMOUNTS
from settlement.compliance.policy.predicates.holdings import HOLDINGS
from settlement.compliance.policy.predicates.kinds import (
    OptionKind,
    PairKind,
    PaymentKind,
    read_option,
)
from settlement.compliance.policy.predicates.parties import PARTIES
from settlement.compliance.policy.predicates.purse import PURSE
from settlement.compliance.policy.predicates.screening import SCREENING
from settlement.compliance.policy.predicates.trade import TRADE

PREDICATES: Mapping[str, PairKind | PaymentKind] = {
    **PARTIES,
    **HOLDINGS,
    **SCREENING,
    **PURSE,
    **AMOUNTS,
    **TRADE,
}

__all__ = ["PREDICATES", "PURSE", "OptionKind", "PairKind", "PaymentKind", "read_option"]
