"""Predicates over amounts and sums of amounts, and the data that must travel with them."""

from __future__ import annotations

from collections.abc import Mapping

from settlement.compliance.policy.model import PaymentCheck
from settlement.compliance.policy.predicates.kinds import (
    OptionKind,
    Options,
    PaymentKind,
    limit,
)
from settlement.compliance.policy.subject import Facts
from settlement.compliance.policy.windows import Bound, Tables, Window, with_this

_LIMIT = {"units": OptionKind.DECIMAL, "currency": OptionKind.CURRENCY}
_SUM = _LIMIT | {"per": OptionKind.PER, "period": OptionKind.PERIOD}


def _amount_at_least(options: Options, tables: Tables) -> PaymentCheck:
    bound = Bound(limit(options), tables)

    def check(facts: Facts) -> str:
        reached = facts.payment.amount_minor >= bound.smallest_at(facts.pair.asset)
        return f"the amount reaches {bound.limit}" if reached else ""

    return check


def _amount_above(options: Options, tables: Tables) -> PaymentCheck:
    bound = Bound(limit(options), tables)

    def check(facts: Facts) -> str:
        is_above = facts.payment.amount_minor > bound.largest_within(facts.pair.asset)
        return f"the amount is above {bound.limit}" if is_above else ""

    return check


def _travel_rule_missing(options: Options, tables: Tables) -> PaymentCheck:
    bound = Bound(limit(options), tables)

    def check(facts: Facts) -> str:
        gaps = facts.payment.travel_rule_gaps
        if not gaps or facts.payment.amount_minor < bound.smallest_at(facts.pair.asset):
            return ""
        return f"the travel rule's data lack {', '.join(gaps)}"

    return check


def _sunrise(options: Options, tables: Tables) -> PaymentCheck:
    bound = Bound(limit(options), tables)

    def check(facts: Facts) -> str:
        why = facts.payment.sunrise
        if not why or facts.payment.amount_minor < bound.smallest_at(facts.pair.asset):
            return ""
        return f"the travel rule's data cannot be handed over: {why}"

    return check


def _inquiry_open(facts: Facts) -> str:
    inquiry = facts.payment.inquiry
    return f"a request for information is open: {inquiry}" if inquiry else ""


def _sum_windows(options: Options) -> tuple[Window, ...]:
    return (Window(options["per"], options["period"]),)


def _sum_at_least(options: Options, tables: Tables) -> PaymentCheck:
    bound, (window,) = Bound(limit(options), tables), _sum_windows(options)

    def check(facts: Facts) -> str:
        if not bound.is_reached_by(with_this(facts, window)):
            return ""
        return f"what was paid per {_spoken(window)} reaches {bound.limit} with this payment"

    return check


def _small_windows(options: Options) -> tuple[Window, ...]:
    return (Window(options["per"], options["period"], limit(options)),)


def _small_payments_reach(options: Options, tables: Tables) -> PaymentCheck:
    bound, (window,) = Bound(limit(options), tables), _small_windows(options)

    def check(facts: Facts) -> str:
        if facts.payment.amount_minor >= bound.smallest_at(facts.pair.asset):
            return ""  # It is looked at by itself.
        if not bound.is_reached_by(with_this(facts, window)):
            return ""
        return f"payments below {bound.limit} each reach it together per {_spoken(window)}"

    return check


def _spoken(window: Window) -> str:
    span = f"{window.days} days" if window.days > 1 else "day" if window.days else "month"
    return f"{window.per} and {span}"


AMOUNTS: Mapping[str, PaymentKind] = {
    "amount_at_least": PaymentKind(_amount_at_least, _LIMIT),
    "amount_above": PaymentKind(_amount_above, _LIMIT),
    "travel_rule_missing": PaymentKind(_travel_rule_missing, _LIMIT),
    "sunrise": PaymentKind(_sunrise, _LIMIT),
    "inquiry_open": PaymentKind(lambda *_: _inquiry_open),
    "sum_at_least": PaymentKind(_sum_at_least, _SUM, windows=_sum_windows),
    "small_payments_reach": PaymentKind(_small_payments_reach, _SUM, windows=_small_windows),
}
