"""Predicates over what the screening found: names, addresses, hits, owners."""

from __future__ import annotations

from collections.abc import Mapping

from settlement.compliance.policy.model import PairCheck
from settlement.compliance.policy.predicates.kinds import OptionKind, Options, PairKind
from settlement.compliance.policy.predicates.parties import sides
from settlement.compliance.policy.subject import Pair
from settlement.compliance.policy.windows import Tables

_WHOLE_BP = 10_000


def _name_listed(pair: Pair) -> str:
    return "; ".join(f"the {side}'s {each}" for side, p in sides(pair) for each in p.names_listed)


def _address_listed(pair: Pair) -> str:
    return "; ".join(
        f"the {side}'s {each}" for side, p in sides(pair) for each in p.addresses_listed
    )


def _hits_open(pair: Pair) -> str:
    return "; ".join(
        f"the {side}: {each} waits for a person" for side, p in sides(pair) for each in p.hits_open
    )


def _hits_confirmed(pair: Pair) -> str:
    return "; ".join(f"the {side}: {each}" for side, p in sides(pair) for each in p.hits_confirmed)


def _listed_ownership(options: Options, _: Tables) -> PairCheck:
    bound, is_above = options["basis_points"], options.get("compared") == "above"

    def check(pair: Pair) -> str:
        found = []
        for side, party in sides(pair):
            owned = party.listed_ownership_bp
            if owned > bound or (owned == bound and not is_above):
                owners = ", ".join(party.listed_owners) or "listed persons"
                found.append(f"the {side} is owned to {_percent(owned)} by {owners}")
        return "; ".join(found)

    return check


def _listed_control(pair: Pair) -> str:
    return "; ".join(
        f"the {side} is controlled by {', '.join(party.listed_control)}"
        for side, party in sides(pair)
        if party.listed_control
    )


def _percent(basis_points: int) -> str:
    whole, part = divmod(basis_points * 100, _WHOLE_BP)
    return f"{whole}.{part // 100:02d} %"


SCREENING: Mapping[str, PairKind] = {
    "name_listed": PairKind(lambda *_: _name_listed),
    "address_listed": PairKind(lambda *_: _address_listed),
    "hits_open": PairKind(lambda *_: _hits_open),
    "hits_confirmed": PairKind(lambda *_: _hits_confirmed),
    "listed_ownership": PairKind(
        _listed_ownership, {"basis_points": OptionKind.COUNT}, {"compared": OptionKind.TEXT}
    ),
    "listed_control": PairKind(lambda *_: _listed_control),
}
