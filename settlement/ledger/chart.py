"""The chart of accounts as data: what each kind is, whose it is, and what moves it.

Knows no balance. `docs/ledger.md` is the same for people; a test compares the two.
"""

from __future__ import annotations

from typing import NamedTuple


class AccountKind(NamedTuple):
    """A kind of account: `kind:owner:unit`."""

    kind: str
    owner: str
    """Whose it is, or what it names in the owner's place."""
    unit: str
    plus: str
    """What a positive balance means."""
    minus: str
    """What a negative one means; `never` where only a fault makes one."""
    moved_by: str
    """Kinds of entry that move it, reversals aside."""


_TOKEN, _CURRENCY, _EITHER = "token", "currency", "currency or token"

CHART = (
    AccountKind("wallet", "participant, by address", _TOKEN, "tokens it holds: `balanceOf`",
                "never", "payment, transfer, mint, burn"),
    AccountKind("receivable", "seller", _CURRENCY, "what buyers owe", "paid more than owed",
                "accept, credit, payment, attribution, write_off"),
    AccountKind("payable", "buyer", _CURRENCY, "paid more than owed", "what it owes",
                "accept, credit, payment, attribution, write_off"),
    AccountKind("sales", "seller", _CURRENCY, "credited more than invoiced", "what it invoiced",
                "accept, credit"),
    AccountKind("purchases", "buyer", _CURRENCY, "what it accepted", "credited more than accepted",
                "accept, credit"),
    AccountKind("par", "participant", _EITHER, "one half of the pair: the other is its opposite",
                "one half of the pair: the other is its opposite", "payment, attribution"),
    AccountKind("liability", "token", _TOKEN, "never", "what the issuer owes: the total supply",
                "mint, burn"),
    AccountKind("reserve", "token", _CURRENCY, "paid out more than taken in",
                "money taken in against the token", "reserve_movement"),
    AccountKind("outside", "nobody", _EITHER, "what unregistered addresses have received",
                "what they have paid, or a debtor paid from a bank outside the books",
                "transfer, mint, burn, attribution"),
    AccountKind("suspense", "participant, or outside", _TOKEN, "paid without a settlement",
                "received without a settlement", "transfer, attribution, adjustment, write_off"),
    AccountKind("nostro", "bank account's owner", _CURRENCY, "money at the bank", "overdrawn",
                "bank"),
    AccountKind("clearing", "bank account's owner", _CURRENCY, "debited and not explained yet",
                "credited and not explained yet",
                "bank, attribution, reserve_movement, adjustment, write_off"),
    AccountKind("fees", "participant", _EITHER, "what banks and networks kept", "refunded",
                "write_off"),
    AccountKind("fx_difference", "participant", _EITHER, "what another rate has cost",
                "what it has brought", "write_off"),
    AccountKind("rounding", "participant", _EITHER, "what rounding has cost",
                "what it has brought", "write_off"),
    AccountKind("write_off", "participant", _EITHER, "what it has let go", "what it was let off",
                "write_off"),
    AccountKind("adjustment", "participant", _EITHER, "lost, cause unknown",
                "gained, cause unknown", "adjustment"),
    AccountKind("coin", "operator", "WEI", "the chain's coin it holds: its balance", "never",
                "funding, gas"),
    AccountKind("gas", "operator", "WEI", "what it paid for gas", "never", "gas"),
    AccountKind("funding", "operator", "WEI", "never", "where its coins came from", "funding"),
)  # fmt: skip

BY_KIND = {each.kind: each for each in CHART}
