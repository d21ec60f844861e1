"""Predicates over who pays whom: states, countries, forms, registers, and papers.

Each says in words what it found, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from settlement.compliance.policy.model import PairCheck
from settlement.compliance.policy.predicates.kinds import OptionKind, Options, PairKind
from settlement.compliance.policy.subject import Pair, Party
from settlement.compliance.policy.windows import Tables


def sides(pair: Pair) -> Iterator[tuple[str, Party]]:
    """Yield both parties with what each is called."""
    yield "debtor", pair.debtor
    yield "creditor", pair.creditor


def _party_inactive(pair: Pair) -> str:
    if pair.debtor.state != "active":
        return f"the debtor is {pair.debtor.state}"
    return "" if pair.creditor.state == "active" else f"the creditor is {pair.creditor.state}"


def _documents_missing(pair: Pair) -> str:
    if not (pair.debtor.documents_missing or pair.creditor.documents_missing):
        return ""
    return "; ".join(
        f"the {side}'s file lacks {each}"
        for side, party in sides(pair)
        for each in party.documents_missing
    )


def _wallet_bound(pair: Pair) -> str:
    if not (pair.debtor.wallet_bound or pair.creditor.wallet_bound):
        return ""
    return "; ".join(
        f"the {side}'s wallet {each}" for side, party in sides(pair) for each in party.wallet_bound
    )


def _payee_change_pending(pair: Pair) -> str:
    waits = pair.creditor.payee_change_pending
    return "a change of the creditor's details is not confirmed yet" if waits else ""


def _country_in(options: Options, _: Tables) -> PairCheck:
    countries = options["countries"]

    def check(pair: Pair) -> str:
        hits = [party.country for _, party in sides(pair) if party.country in countries]
        return f"no payments to or from {', '.join(hits)}" if hits else ""

    return check


def _both_countries_in(options: Options, _: Tables) -> PairCheck:
    countries = options["countries"]

    def check(pair: Pair) -> str:
        both = pair.debtor.country in countries and pair.creditor.country in countries
        return f"both parties are resident in {pair.debtor.country}" if both else ""

    return check


def _party_in_register(options: Options, _: Tables) -> PairCheck:
    register = options["register"]

    def check(pair: Pair) -> str:
        hits = [side for side, party in sides(pair) if register in party.registers]
        return f"the {' and the '.join(hits)} is in the register {register}" if hits else ""

    return check


def _residents_not_in_register(options: Options, _: Tables) -> PairCheck:
    register, countries = options["register"], options["countries"]

    def check(pair: Pair) -> str:
        hits = [
            side
            for side, party in sides(pair)
            if party.country in countries and register not in party.registers
        ]
        return f"the {' and the '.join(hits)} is not in the register {register}" if hits else ""

    return check


def _legal_form_in(options: Options, _: Tables) -> PairCheck:
    forms = options["forms"]

    def check(pair: Pair) -> str:
        hits = [side for side, party in sides(pair) if party.legal_form in forms]
        words = " and the ".join(f"{side} ({getattr(pair, side).legal_form})" for side in hits)
        return f"the {words} may not take part" if hits else ""

    return check


PARTIES: Mapping[str, PairKind] = {
    "party_inactive": PairKind(lambda *_: _party_inactive),
    "documents_missing": PairKind(lambda *_: _documents_missing),
    "wallet_bound": PairKind(lambda *_: _wallet_bound),
    "payee_change_pending": PairKind(lambda *_: _payee_change_pending),
    "country_in": PairKind(_country_in, {"countries": OptionKind.COUNTRIES}),
    "both_countries_in": PairKind(_both_countries_in, {"countries": OptionKind.COUNTRIES}),
    "party_in_register": PairKind(_party_in_register, {"register": OptionKind.NAME}),
    "residents_not_in_register": PairKind(
        _residents_not_in_register,
        {"register": OptionKind.NAME, "countries": OptionKind.COUNTRIES},
    ),
    "legal_form_in": PairKind(_legal_form_in, {"forms": OptionKind.FORMS}),
}
