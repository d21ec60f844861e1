"""What the rules look at: two parties, an asset, a payment and its trade. Values alone.

Every field has a neutral default where its reader may have nothing to say. Reads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FORMS = ("legal_entity", "sole_proprietor", "individual")
"""Legal forms of parties."""


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a payment, with the wallet that it pays from or is paid to."""

    participant_id: str
    state: str
    """Effective: `active`, or why not."""
    country: str
    """ISO 3166-1 alpha-2."""
    wallet: str
    owns_wallet: bool
    legal_form: str = "legal_entity"
    """One of `FORMS`."""
    registers: tuple[str, ...] = ()
    """Names of the registers that have this party."""
    wallet_kind: str = "custodial"
    """`custodial` or `self_hosted`."""
    wallet_is_proved: bool = True
    """Whether control of the wallet was shown by a signature."""
    wallet_is_usable: bool = True
    """False while a change of the wallet waits out its cooling-off time."""
    documents_missing: tuple[str, ...] = ()
    """What the party's file lacks, or what has expired."""
    payee_change_pending: bool = False
    names_listed: tuple[str, ...] = ()
    """Of the confirmed hits those on the party's name."""
    wallet_bound: tuple[str, ...] = ()
    """Why the wallet may not pay or be paid: to be unlisted or frozen, or not listed yet."""
    addresses_listed: tuple[str, ...] = ()
    """Entries of lists in force that equal the wallet."""
    hits_open: tuple[str, ...] = ()
    """Hits of the screening that a person has not judged yet."""
    hits_confirmed: tuple[str, ...] = ()
    listed_ownership_bp: int = 0
    """What listed owners hold together, in basis points: 5,000 are 50 per cent."""
    listed_owners: tuple[str, ...] = ()
    listed_control: tuple[str, ...] = ()
    """Listed persons who control the party, whatever they own."""


@dataclass(frozen=True, slots=True)
class Asset:
    """The token, as what it stands for."""

    token: str
    symbol: str
    currency: str
    """ISO 4217."""
    decimals: int
    is_listed: bool
    """Listed on the rail, for the invoice's currency."""
    registers: tuple[str, ...] = ()
    """Names of the registers that have this asset."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What many payments share: who pays whom, from where to where, in what."""

    debtor: Party
    creditor: Party
    asset: Asset


@dataclass(frozen=True, slots=True)
class Trade:
    """What a party declared of the trade behind an invoice, and what the invoice itself says."""

    contract_number: str = ""
    contract_registration: str = ""
    """The number under which a bank has registered the contract; empty: not registered."""
    direction: str = ""
    """`import` or `export` of the party that declared; empty: not said."""
    purpose_code: str = ""
    purpose_registers: tuple[str, ...] = ()
    """Names of the registers that have this purpose."""
    hs_codes: tuple[str, ...] = ()
    """Harmonised System, digits alone."""
    source_of_funds: str = ""
    """Such as `trade`, `mined`; empty: not said."""
    mining_register_id: str = ""
    mining_register_known: bool = False
    """Whether the register of operators in force has that id."""
    kwh_of_month: int | None = None
    address_identifiers: tuple[str, ...] = ()
    region: str = ""
    region_registers: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    """Kinds of the documents that are there, each with its hash on file."""


NO_TRADE = Trade()


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment. Amounts are minor units of the token."""

    amount_minor: int
    mandate_cap_payment_minor: int | None
    """None: no mandate that lives."""
    mandate_left_today_minor: int
    funds_available_minor: int
    travel_rule_gaps: tuple[str, ...] = ()
    """What the travel rule's data lack, in words."""
    sunrise: str = ""
    """Why the other side cannot take the travel rule's data; empty: it can."""
    inquiry: str = ""
    """A request for information that is open; empty: none."""
    sums: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Per window (see `sums.Window`) and currency what was paid and is under way beside this
    payment, in billionths of a whole unit."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one settlement when it is judged."""

    settlement_id: str
    pair: Pair
    payment: Payment
    trade: Trade = NO_TRADE
