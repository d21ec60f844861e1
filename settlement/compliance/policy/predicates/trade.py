"""Predicates over the trade behind a payment: contract, purpose, papers, goods, source of funds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from settlement.compliance.policy.model import PaymentCheck
from settlement.compliance.policy.predicates.kinds import (
    OptionKind,
    Options,
    PaymentKind,
    limit,
)
from settlement.compliance.policy.subject import Facts
from settlement.compliance.policy.windows import Bound, Tables, Window, with_this

_MINED = "mined"
_SHOWN_MAX = 4
"""Listed codes that a finding names."""


def _contract_missing(facts: Facts) -> str:
    return "" if facts.trade.contract_number else "no contract is named"


def _contract_not_registered(options: Options, tables: Tables) -> PaymentCheck:
    bound, countries, direction = (
        Bound(limit(options), tables), options["countries"], options["direction"],
    )  # fmt: skip

    def check(facts: Facts) -> str:
        pair = facts.pair
        resident = pair.debtor if direction == "import" else pair.creditor
        if resident.country not in countries or facts.trade.contract_registration:
            return ""
        if facts.payment.amount_minor <= bound.largest_within(pair.asset):
            return ""
        return f"an {direction} above {bound.limit}, and no bank has registered the contract"

    return check


def _purpose_missing(facts: Facts) -> str:
    return "" if facts.trade.purpose_code else "no purpose is declared"


def _purpose_not_in_register(options: Options, _: Tables) -> PaymentCheck:
    register = options["register"]

    def check(facts: Facts) -> str:
        trade = facts.trade
        if not trade.purpose_code or register in trade.purpose_registers:
            return ""
        return f"purpose {trade.purpose_code} is not in the register {register}"

    return check


def _papers_missing(options: Options, _: Tables) -> PaymentCheck:
    kinds = sorted(options["kinds"])

    def check(facts: Facts) -> str:
        missing = [kind for kind in kinds if kind not in facts.trade.documents]
        return f"not on file: {', '.join(missing)}" if missing else ""

    return check


def _goods_on_list(options: Options, tables: Tables) -> PaymentCheck:
    name = options["list"]
    prefixes = tables.goods[name]

    def check(facts: Facts) -> str:
        codes = facts.trade.hs_codes
        if not codes:
            return ""
        hits = [code for code in codes if code.startswith(prefixes)]
        found = [f"goods {', '.join(hits)} are on the list {name}"] if hits else []
        # A heading is no way round its subheadings: what is declared may be any of them.
        for code in codes:
            within = [prefix for prefix in prefixes if prefix.startswith(code)]
            if within and code not in hits:
                found.append(
                    f"goods {code} is too short to tell: {_listed(within)} of the list {name}"
                    f" {'are' if len(within) > 1 else 'is'} in it"
                )
        return "; ".join(found)

    return check


def _listed(prefixes: Sequence[str]) -> str:
    """Return the first few of them, in words."""
    shown = [*prefixes[:_SHOWN_MAX]]
    if more := len(prefixes) - len(shown):
        shown.append(f"{more} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _source_missing(facts: Facts) -> str:
    return "" if facts.trade.source_of_funds else "the source of funds is not declared"


def _mined_unregistered(options: Options, _: Tables) -> PaymentCheck:
    register, forms = options["register"], options["forms"]

    def check(facts: Facts) -> str:
        trade, debtor = facts.trade, facts.pair.debtor
        if trade.source_of_funds != _MINED or debtor.legal_form not in forms:
            return ""
        if trade.mining_register_known or register in debtor.registers:
            return ""
        return f"mined by one who is not in the register {register}"

    return check


def _is_exempt_kind(facts: Facts, register: str) -> bool:
    debtor = facts.pair.debtor
    return (
        facts.trade.source_of_funds == _MINED
        and debtor.legal_form == "individual"
        and not facts.trade.mining_register_known
        and register not in debtor.registers
    )


def _mined_kwh_missing(options: Options, _: Tables) -> PaymentCheck:
    register = options["register"]

    def check(facts: Facts) -> str:
        missing = facts.trade.kwh_of_month is None and _is_exempt_kind(facts, register)
        return "mined by an individual, and the month's energy is not declared" if missing else ""

    return check


def _mined_over_kwh(options: Options, _: Tables) -> PaymentCheck:
    register, most = options["register"], options["kwh"]

    def check(facts: Facts) -> str:
        used = facts.trade.kwh_of_month
        if used is None or used <= most or not _is_exempt_kind(facts, register):
            return ""
        return f"mined with {used} kWh in the month, above {most}, without being in {register}"

    return check


def _mined_addresses_missing(facts: Facts) -> str:
    trade = facts.trade
    missing = trade.source_of_funds == _MINED and not trade.address_identifiers
    return "mined, and the address identifiers are not declared" if missing else ""


def _mined_region_missing(facts: Facts) -> str:
    trade = facts.trade
    missing = trade.source_of_funds == _MINED and not trade.region
    return "mined, and the region is not declared" if missing else ""


def _mined_in_region(options: Options, _: Tables) -> PaymentCheck:
    register = options["register"]

    def check(facts: Facts) -> str:
        trade = facts.trade
        if trade.source_of_funds != _MINED or register not in trade.region_registers:
            return ""
        return f"mined in {trade.region}, which is in the register {register}"

    return check


def _mined_windows(options: Options) -> tuple[Window, ...]:
    return (Window(options["per"], options["period"]),)


def _mined_sum_at_least(options: Options, tables: Tables) -> PaymentCheck:
    bound, (window,) = Bound(limit(options), tables), _mined_windows(options)

    def check(facts: Facts) -> str:
        if facts.trade.source_of_funds != _MINED:
            return ""
        if not bound.is_reached_by(with_this(facts, window)):
            return ""
        return f"mined, and what the {window.per} paid reaches {bound.limit}"

    return check


_REGISTER = {"register": OptionKind.NAME}
_LIMIT = {"units": OptionKind.DECIMAL, "currency": OptionKind.CURRENCY}
TRADE: Mapping[str, PaymentKind] = {
    "contract_missing": PaymentKind(lambda *_: _contract_missing),
    "contract_not_registered": PaymentKind(
        _contract_not_registered,
        _LIMIT | {"countries": OptionKind.COUNTRIES, "direction": OptionKind.DIRECTION},
    ),
    "purpose_missing": PaymentKind(lambda *_: _purpose_missing),
    "purpose_not_in_register": PaymentKind(_purpose_not_in_register, _REGISTER),
    "papers_missing": PaymentKind(_papers_missing, {"kinds": OptionKind.TEXTS}),
    "goods_on_list": PaymentKind(_goods_on_list, {"list": OptionKind.GOODS}),
    "source_missing": PaymentKind(lambda *_: _source_missing),
    "mined_unregistered": PaymentKind(_mined_unregistered, _REGISTER | {"forms": OptionKind.FORMS}),
    "mined_kwh_missing": PaymentKind(_mined_kwh_missing, _REGISTER),
    "mined_over_kwh": PaymentKind(_mined_over_kwh, _REGISTER | {"kwh": OptionKind.COUNT}),
    "mined_addresses_missing": PaymentKind(lambda *_: _mined_addresses_missing),
    "mined_region_missing": PaymentKind(lambda *_: _mined_region_missing),
    "mined_in_region": PaymentKind(_mined_in_region, _REGISTER),
    "mined_sum_at_least": PaymentKind(
        _mined_sum_at_least,
        _LIMIT | {"per": OptionKind.PER, "period": OptionKind.PERIOD},
        windows=_mined_windows,
    ),
}
