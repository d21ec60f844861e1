"""Predicates over wallets and assets: whose, of what kind, proved, listed, allowed."""

from __future__ import annotations

from collections.abc import Mapping

from settlement.compliance.policy.model import PairCheck, PaymentCheck
from settlement.compliance.policy.predicates.kinds import (
    OptionKind,
    Options,
    PairKind,
    PaymentKind,
    limit,
)
from settlement.compliance.policy.predicates.parties import sides
from settlement.compliance.policy.subject import Facts, Pair
from settlement.compliance.policy.windows import Bound, Tables


def _wallet_not_the_partys(pair: Pair) -> str:
    if not pair.debtor.owns_wallet:
        return "the debtor's wallet is not registered to the debtor"
    return "" if pair.creditor.owns_wallet else "the creditor's wallet is not the creditor's"


def _wallet_not_usable(pair: Pair) -> str:
    waiting = [side for side, party in sides(pair) if not party.wallet_is_usable]
    return f"the wallet of the {' and the '.join(waiting)} is not usable yet" if waiting else ""


def _self_hosted(pair: Pair) -> str:
    hits = [side for side, party in sides(pair) if party.wallet_kind == "self_hosted"]
    return f"the {' and the '.join(hits)} holds the wallet alone" if hits else ""


def _self_hosted_unproved(options: Options, tables: Tables) -> PaymentCheck:
    bound = Bound(limit(options), tables)

    def check(facts: Facts) -> str:
        pair = facts.pair
        if facts.payment.amount_minor <= bound.largest_within(pair.asset):
            return ""
        hits = [
            side
            for side, party in sides(pair)
            if party.wallet_kind == "self_hosted" and not party.wallet_is_proved
        ]
        if not hits:
            return ""
        return f"above {bound.limit}, and the {' and the '.join(hits)} has not proved the wallet"

    return check


def _token_not_listed(pair: Pair) -> str:
    return "" if pair.asset.is_listed else "the token is not listed"


def _asset_in(options: Options, _: Tables) -> PairCheck:
    assets = options["assets"]

    def check(pair: Pair) -> str:
        hits = {pair.asset.symbol, pair.asset.token} & assets
        return f"no payments in {pair.asset.symbol}" if hits else ""

    return check


def _asset_not_in_register(options: Options, _: Tables) -> PairCheck:
    register = options["register"]

    def check(pair: Pair) -> str:
        if register in pair.asset.registers:
            return ""
        return f"{pair.asset.symbol} is not in the register {register}"

    return check


HOLDINGS: Mapping[str, PairKind | PaymentKind] = {
    "wallet_not_the_partys": PairKind(lambda *_: _wallet_not_the_partys),
    "wallet_not_usable": PairKind(lambda *_: _wallet_not_usable),
    "self_hosted": PairKind(lambda *_: _self_hosted),
    "self_hosted_unproved": PaymentKind(
        _self_hosted_unproved, {"units": OptionKind.DECIMAL, "currency": OptionKind.CURRENCY}
    ),
    "token_not_listed": PairKind(lambda *_: _token_not_listed),
    "asset_in": PairKind(_asset_in, {"assets": OptionKind.TEXTS}),
    "asset_not_in_register": PairKind(_asset_not_in_register, {"register": OptionKind.NAME}),
}
