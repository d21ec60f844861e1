"""What each predicate looks at: paths into the facts, for an explanation that shows them.

Judges nothing. A path of a party stands for both sides.
"""

from __future__ import annotations

from collections.abc import Mapping

_AMOUNT = ("payment.amount_minor", "asset.currency", "asset.decimals")
_SUMS = (*_AMOUNT, "payment.sums")
_MINED = ("trade.source_of_funds", "debtor.legal_form", "debtor.registers",
          "trade.mining_register_id", "trade.mining_register_known")  # fmt: skip

LOOKS_AT: Mapping[str, tuple[str, ...]] = {
    "party_inactive": ("party.state",),
    "documents_missing": ("party.documents_missing",),
    "wallet_bound": ("party.wallet_bound",),
    "payee_change_pending": ("creditor.payee_change_pending",),
    "country_in": ("party.country",),
    "both_countries_in": ("party.country",),
    "party_in_register": ("party.registers",),
    "residents_not_in_register": ("party.country", "party.registers"),
    "legal_form_in": ("party.legal_form",),
    "wallet_not_the_partys": ("party.wallet", "party.owns_wallet"),
    "wallet_not_usable": ("party.wallet", "party.wallet_is_usable"),
    "self_hosted": ("party.wallet", "party.wallet_kind"),
    "self_hosted_unproved": ("party.wallet_kind", "party.wallet_is_proved", *_AMOUNT),
    "token_not_listed": ("asset.symbol", "asset.is_listed"),
    "asset_in": ("asset.symbol", "asset.token"),
    "asset_not_in_register": ("asset.symbol", "asset.registers"),
    "name_listed": ("party.names_listed",),
    "address_listed": ("party.wallet", "party.addresses_listed"),
    "hits_open": ("party.hits_open",),
    "hits_confirmed": ("party.hits_confirmed",),
    "listed_ownership": ("party.listed_ownership_bp", "party.listed_owners"),
    "listed_control": ("party.listed_control",),
    "mandate_missing": ("payment.mandate_cap_payment_minor",),
    "over_payment_cap": ("payment.amount_minor", "payment.mandate_cap_payment_minor"),
    "over_day_cap": ("payment.amount_minor", "payment.mandate_left_today_minor"),
    "funds_short": ("payment.amount_minor", "payment.funds_available_minor"),
    "over_units": ("payment.amount_minor", "asset.decimals"),
    "amount_at_least": _AMOUNT,
    "amount_above": _AMOUNT,
    "travel_rule_missing": (*_AMOUNT, "payment.travel_rule_gaps"),
    "sunrise": (*_AMOUNT, "payment.sunrise"),
    "inquiry_open": ("payment.inquiry",),
    "sum_at_least": _SUMS,
    "small_payments_reach": _SUMS,
    "contract_missing": ("trade.contract_number",),
    "contract_not_registered": ("trade.contract_registration", "party.country", *_AMOUNT),
    "purpose_missing": ("trade.purpose_code",),
    "purpose_not_in_register": ("trade.purpose_code", "trade.purpose_registers"),
    "papers_missing": ("trade.documents",),
    "goods_on_list": ("trade.hs_codes",),
    "source_missing": ("trade.source_of_funds",),
    "mined_unregistered": _MINED,
    "mined_kwh_missing": (*_MINED, "trade.kwh_of_month"),
    "mined_over_kwh": (*_MINED, "trade.kwh_of_month"),
    "mined_addresses_missing": ("trade.source_of_funds", "trade.address_identifiers"),
    "mined_region_missing": ("trade.source_of_funds", "trade.region"),
    "mined_in_region": ("trade.source_of_funds", "trade.region", "trade.region_registers"),
    "mined_sum_at_least": ("trade.source_of_funds", *_SUMS),
}
