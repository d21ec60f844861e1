"""Gathering what the rules look at, for many settlements at once.

One query per kind of fact and batch, whatever its size. Reads; decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from settlement.compliance import list_entries, registers, trades, travel_rule
from settlement.compliance.candidates import Candidate, PairKey, Purse
from settlement.compliance.inquiries import open_inquiries
from settlement.compliance.policy import (
    NO_TRADE,
    Asset,
    Facts,
    Judge,
    Pair,
    Party,
    Payment,
    Trade,
)
from settlement.compliance.screening.exposure import NOTHING, Exposure, exposures
from settlement.compliance.sums import Running
from settlement.participants.profiles import Profile, WalletStanding, profiles, wallet_standings
from settlement.registry.restrictions import Restriction, restrictions

_NO_TEXTS: tuple[str, ...] = ()


@dataclass(slots=True)
class Known:
    """What was read of parties and addresses, each once."""

    now: datetime
    listed: Mapping[str, tuple[str, ...]]
    """By name and address the entries of lists that equal it."""
    members: Mapping[str, tuple[str, ...]]
    """By value the registers that have it."""
    profiles: Mapping[str, Profile]
    standings: Mapping[str, WalletStanding]
    exposures: Mapping[str, Exposure]
    bound: Mapping[str, tuple[Restriction, ...]]
    """By wallet what is wanted of it on the chain, or is not there yet."""
    parties: dict[tuple[str, str, str], Party] = field(default_factory=dict)
    """Made already, by participant, wallet and token."""
    assets: dict[tuple[str, str], Asset] = field(default_factory=dict)
    """By token and the invoice's currency."""


@dataclass(slots=True)
class Gathered:
    """All that is known of a batch, to be looked up payment by payment."""

    pairs: dict[PairKey, Pair]
    running: Running
    trades: Mapping[str, Trade] = field(default_factory=dict)
    """By invoice."""
    travel_rule_gaps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By settlement, as the next two."""
    sunrise: Mapping[str, str] = field(default_factory=dict)
    inquiries: Mapping[str, str] = field(default_factory=dict)

    def facts(self, row: Candidate, judge: Judge, purse: Purse | None = None) -> Facts:
        """Return the facts of one settlement as its purse and the sums now stand."""
        pair = self.pairs[row.pair_key]
        windows = judge.pair(pair).windows
        mandate = purse.mandate if purse else None
        payment = Payment(
            amount_minor=row.amount_minor,
            mandate_cap_payment_minor=mandate.cap_per_payment_minor if mandate else None,
            mandate_left_today_minor=purse.left_today_minor if purse else 0,
            funds_available_minor=purse.funds_minor if purse else 0,
            travel_rule_gaps=self.travel_rule_gaps.get(row.id, _NO_TEXTS),
            sunrise=self.sunrise.get(row.id, ""),
            inquiry=self.inquiries.get(row.id, ""),
            sums=self.running.of(pair, windows) if windows else {},
        )
        return Facts(row.id, pair, payment, self.trades.get(row.invoice_id, NO_TRADE))

    def count(self, facts: Facts, judge: Judge) -> None:
        """Let a payment that may be paid count in the sums of the next ones."""
        windows = judge.pair(facts.pair).windows
        if windows:
            self.running.add(facts, windows)


def gather(session: Session, waiting: Sequence[Candidate], judge: Judge, now: datetime) -> Gathered:
    """Read all that the rules look at of these settlements, but what their purses hold."""
    known = _known(session, waiting, now)
    pairs: dict[PairKey, Pair] = {}
    for row in waiting:
        key = row.pair_key
        if key not in pairs:
            pairs[key] = _pair(row, known)
    running = Running(judge.policy.tables, now)
    running.read(session, [(pair, judge.pair(pair).windows) for pair in pairs.values()])
    return Gathered(
        pairs,
        running,
        trades=trades.trades(session, {row.invoice_id: row.debtor_id for row in waiting}),
        travel_rule_gaps=travel_rule.gaps(session, [row.id for row in waiting]),
        inquiries=open_inquiries(session, [row.id for row in waiting]),
    )


def _known(session: Session, waiting: Sequence[Candidate], now: datetime) -> Known:
    parties = {party for row in waiting for party in (row.debtor_id, row.creditor_id)}
    addresses = {each for row in waiting for each in (row.debtor_wallet, row.creditor_wallet)}
    found = profiles(session, parties, now)
    values = {value for each in found.values() for value in _identifiers(each)}
    values |= {value for row in waiting for value in (row.symbol, row.token)}
    return Known(
        now=now,
        listed=_listed(session, waiting),
        members=registers.memberships(session, values),
        profiles=found,
        standings=wallet_standings(session, addresses),
        exposures=exposures(session, parties),
        bound=restrictions(session, addresses),
    )


def _listed(session: Session, waiting: Sequence[Candidate]) -> dict[str, tuple[str, ...]]:
    """Return, per address of `waiting`, the entries of lists in force that equal it.

    Names are the screening's, also where they are equal: a person judges who bears one.
    """
    values: dict[str, str] = {}
    for address in {
        address for row in waiting for address in (row.debtor_wallet, row.creditor_wallet)
    }:
        values[address] = address
    hits = list_entries.hits(session, list(values.values()))
    return {
        shown: tuple(
            # The name itself stays out of the stored decision: a person's can be erased.
            f"{'wallet' if value == shown else 'name'} is on {hit.list_name}"
            f" ({hit.detail or hit.value})"
            for hit in found
        )
        for shown, value in values.items()
        if (found := hits.get(value))
    }


def _identifiers(profile: Profile) -> list[str]:
    """Return what registers may know a participant by."""
    known = (profile.participant_id, profile.lei, profile.vat_id, profile.tax_id)
    return [value for value in known if value]


def _pair(row: Candidate, known: Known) -> Pair:
    debtor = (row.debtor_id, row.debtor_wallet, row.token)
    creditor = (row.creditor_id, row.creditor_wallet, row.token)
    if debtor not in known.parties:
        known.parties[debtor] = _party(
            known, *debtor, state=row.debtor_state,
            country=row.debtor_country, owns_wallet=row.debtor_owner == row.debtor_id,
        )  # fmt: skip
    if creditor not in known.parties:
        known.parties[creditor] = _party(
            known, *creditor, state=row.creditor_state,
            country=row.creditor_country, owns_wallet=row.creditor_owner == row.creditor_id,
        )  # fmt: skip
    return Pair(known.parties[debtor], known.parties[creditor], _asset(row, known))


def _asset(row: Candidate, known: Known) -> Asset:
    key = (row.token, row.invoice_currency)
    if key not in known.assets:
        known.assets[key] = Asset(
            token=row.token,
            symbol=row.symbol,
            currency=row.currency,
            decimals=row.decimals,
            is_listed=bool(row.listed) and row.currency == row.invoice_currency,
            registers=_registers(known, (row.symbol, row.token)),
        )
    return known.assets[key]


def _party(
    known: Known,
    participant_id: str,
    wallet: str,
    token: str,
    *,
    state: str,
    country: str,
    owns_wallet: bool,
) -> Party:
    profile = known.profiles[participant_id]
    standing = known.standings.get(wallet)
    exposure = known.exposures.get(participant_id, NOTHING)
    return Party(
        participant_id=participant_id,
        state=state,
        country=country,
        wallet=wallet,
        owns_wallet=owns_wallet,
        legal_form=profile.legal_form,
        registers=_registers(known, _identifiers(profile)),
        wallet_kind=standing.kind if standing else "self_hosted",
        wallet_is_proved=standing is not None and standing.is_proved,
        wallet_is_usable=standing is not None and standing.is_usable(known.now),
        documents_missing=_documents_missing(profile),
        payee_change_pending=profile.payee_change_pending,
        wallet_bound=tuple(
            each.words for each in known.bound.get(wallet, ()) if each.holds_for(token)
        ),
        names_listed=exposure.names,
        addresses_listed=known.listed.get(wallet, _NO_TEXTS),
        hits_open=exposure.open,
        hits_confirmed=exposure.confirmed,
        listed_ownership_bp=exposure.listed_ownership_bp,
        listed_owners=exposure.owners,
        listed_control=exposure.controllers,
    )


def _documents_missing(profile: Profile) -> tuple[str, ...]:
    """Return what the file lacks, of those whose being active rests on documents."""
    if profile.known_by != "documents":
        return _NO_TEXTS
    return (
        *profile.missing_documents,
        *(f"{kind} (expired)" for kind in profile.expired_documents),
    )


def _registers(known: Known, values: Sequence[str]) -> tuple[str, ...]:
    named = (known.members.get(registers.folded(value), ()) for value in values)
    return tuple(sorted({name for names in named for name in names}))
