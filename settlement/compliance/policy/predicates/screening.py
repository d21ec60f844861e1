"""Predicates over what the screening found: names, addresses, hits, owners."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter

from settlement.compliance.policy.model import PairCheck
from settlement.compliance.policy.predicates.kinds import WHOLE_BP, OptionKind, Options, PairKind
from settlement.compliance.policy.predicates.parties import sides
from settlement.compliance.policy.subject import Pair
from settlement.compliance.policy.windows import Tables


def _on_list(options: Options, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the list that a rule names, by the beginning of its name; else all."""
    name = options.get("list")
    return texts if name is None else tuple(each for each in texts if f" on {name}" in each)


def _listed(attribute: str, words: str) -> Callable[[Options, Tables], PairCheck]:
    """Return what makes a check of the texts that a party's attribute holds."""
    texts_of = attrgetter(attribute)

    def make(options: Options, _: Tables) -> PairCheck:
        def check(pair: Pair) -> str:
            if not (texts_of(pair.debtor) or texts_of(pair.creditor)):
                return ""
            return "; ".join(
                words.format(side, each)
                for side, party in sides(pair)
                for each in _on_list(options, texts_of(party))
            )

        return check

    return make


def _listed_ownership(options: Options, _: Tables) -> PairCheck:
    bound, is_above = options["basis_points"], options.get("compared") == "above"

    def check(pair: Pair) -> str:
        if pair.debtor.listed_ownership_bp + pair.creditor.listed_ownership_bp < bound:
            return ""
        found = []
        for side, party in sides(pair):
            owned = party.listed_ownership_bp
            if owned > bound or (owned == bound and not is_above):
                owners = ", ".join(party.listed_owners) or "listed persons"
                found.append(f"the {side} is owned to {_percent(owned)} by {owners}")
        return "; ".join(found)

    return check


def _listed_control(pair: Pair) -> str:
    if not (pair.debtor.listed_control or pair.creditor.listed_control):
        return ""
    return "; ".join(
        f"the {side} is controlled by {', '.join(party.listed_control)}"
        for side, party in sides(pair)
        if party.listed_control
    )


def _percent(basis_points: int) -> str:
    whole, part = divmod(basis_points * 100, WHOLE_BP)
    return f"{whole}.{part // 100:02d} %"


_LIST = {"list": OptionKind.NAME}
SCREENING: Mapping[str, PairKind] = {
    "name_listed": PairKind(_listed("names_listed", "the {}'s {}"), may=_LIST),
    "address_listed": PairKind(_listed("addresses_listed", "the {}'s {}"), may=_LIST),
    "hits_open": PairKind(_listed("hits_open", "the {}: {} waits for a person")),
    "hits_confirmed": PairKind(_listed("hits_confirmed", "the {}: {}"), may=_LIST),
    "listed_ownership": PairKind(
        _listed_ownership,
        {"basis_points": OptionKind.BASIS_POINTS},
        {"compared": OptionKind.COMPARED},
    ),
    "listed_control": PairKind(lambda *_: _listed_control),
}
