"""Predicates over the debtor's mandate and funds: minor units of the token."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor

from settlement.compliance.policy.model import PaymentCheck
from settlement.compliance.policy.predicates.kinds import OptionKind, Options, PaymentKind
from settlement.compliance.policy.subject import Facts
from settlement.compliance.policy.windows import SUM_DECIMALS, Tables


def _mandate_missing(facts: Facts) -> str:
    return "" if facts.payment.mandate_cap_payment_minor is not None else "no mandate that lives"


def _over_payment_cap(facts: Facts) -> str:
    payment = facts.payment
    cap = payment.mandate_cap_payment_minor
    if cap is None or payment.amount_minor <= cap:
        return ""
    return f"{payment.amount_minor} is over the mandate's {cap} per payment (minor units)"


def _over_day_cap(facts: Facts) -> str:
    payment = facts.payment
    left = payment.mandate_left_today_minor
    if payment.mandate_cap_payment_minor is None or payment.amount_minor <= left:
        return ""
    return f"{payment.amount_minor} is over the {left} left of the mandate's day (minor units)"


def _funds_short(facts: Facts) -> str:
    available = facts.payment.funds_available_minor
    amount = facts.payment.amount_minor
    if amount <= available:
        return ""
    return f"{amount} is over the {available} that is not reserved (minor units)"


def _over_units(options: Options, _: Tables) -> PaymentCheck:
    units = options["units"]
    # By decimals the greatest amount that is not over: fractions are slow.
    most = {decimals: floor(units * 10**decimals) for decimals in range(SUM_DECIMALS + 1)}

    def check(facts: Facts) -> str:
        is_over = facts.payment.amount_minor > most[facts.pair.asset.decimals]
        return f"over {units} units" if is_over else ""

    return check


PURSE: Mapping[str, PaymentKind] = {
    "mandate_missing": PaymentKind(lambda *_: _mandate_missing),
    "over_payment_cap": PaymentKind(lambda *_: _over_payment_cap),
    "over_day_cap": PaymentKind(lambda *_: _over_day_cap),
    "funds_short": PaymentKind(lambda *_: _funds_short),
    "over_units": PaymentKind(_over_units, {"units": OptionKind.DECIMAL}),
}
