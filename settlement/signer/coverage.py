"""Whether live clearances cover a chain transaction, and the call that its members make.

Pure: judges rows that were read; keeps nothing, signs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from settlement.chain.port import Address
from settlement.chain.rail_abi import (
    PaymentTerms,
    payment_reference,
    reference_prefix,
    settle_calldata,
)
from settlement.clock import to_micros, uuid_bytes
from settlement.signer.limits import MINOR_MAX, SigningLimits, in_minor, shown
from settlement.signer.port import SigningRequest
from settlement.signer.records import Intent, Member

PAYABLE = ("ALLOW", "ALLOW_WITH_DATA")
"""Outcomes of a clearance under which the signer signs; its own list, on purpose."""


class NotCovered(Exception):
    """No live clearance covers what is asked, or a limit forbids it."""

    ended = False


class Ended(NotCovered):
    """It was covered, until a clearance expired or was revoked."""

    ended = True


def require_own(
    intent: Intent | None, request: SigningRequest, address: Address, limits: SigningLimits
) -> Intent:
    """Return the intent if it is this signer's and within its fees and gas.

    Raises:
        NotCovered: not stored, another lane's, or outside a limit.
    """
    if intent is None:
        raise NotCovered("no such chain transaction is stored")
    if intent.signer != address:
        raise NotCovered(f"it belongs to the lane of {intent.signer}")
    highest = min(limits.max_fee_wei, MINOR_MAX)
    if not 0 < request.priority_fee_wei <= request.max_fee_wei <= highest:
        raise NotCovered(f"a fee of {request.max_fee_wei} wei is outside this signer's limit")
    if intent.gas_limit > limits.gas_limit:
        raise NotCovered(f"{intent.gas_limit} gas is outside this signer's limit")
    return intent


def call(intent: Intent, members: Sequence[Member], limits: SigningLimits, now: datetime) -> bytes:
    """Build the call from the members, each covered by a live clearance and within its limit.

    Raises:
        NotCovered: a clearance is missing, dead, or for other terms; the stored call differs.
    """
    token, debtor, deadline = intent.token, intent.debtor_wallet, intent.deadline
    if intent.kind != "pay" or intent.to_address != limits.rail or not token or not debtor:
        raise NotCovered("only payments through the rail are signed here")
    if not members or len(members) != intent.member_count:
        raise NotCovered(f"{len(members)} of {intent.member_count} members are live")
    if deadline * 1_000_000 <= to_micros(now):
        raise Ended("its deadline has passed")
    prefix = reference_prefix(
        chain_id=limits.chain_id, rail=limits.rail, token=Address(token), debtor=Address(debtor)
    )
    payments = []
    for member in members:
        _require_cleared(intent, member, limits)
        payments.append(_terms(member, prefix))
    calldata = settle_calldata(
        token=Address(token), debtor=Address(debtor), deadline=deadline, payments=payments
    )
    if calldata != intent.calldata:
        raise NotCovered("the stored call is not what its members say")
    return calldata


def require_within(intent: Intent, members: Sequence[Member], limits: SigningLimits) -> int:
    """Return the members' total; each is within the limit of one payment.

    Raises:
        NotCovered: the token is not listed, or a payment is too large.
    """
    if intent.decimals is None:
        raise NotCovered(f"the token {intent.token} is not listed")
    most = in_minor(limits.of(str(intent.token)).payment_units, intent.decimals)
    for member in members:
        if not 0 < member.amount_minor <= most:
            raise NotCovered(
                f"{shown(member.amount_minor, intent.decimals)} for {member.id} is over the limit"
                f" of a payment in {intent.token}, {shown(most, intent.decimals)}"
            )
    return sum(member.amount_minor for member in members)


def _require_cleared(intent: Intent, member: Member, limits: SigningLimits) -> None:
    if member.outcome not in PAYABLE or member.expires_at is None:
        raise NotCovered(f"settlement {member.id} has no clearance that allows it")
    if member.revoked_at is not None:
        raise Ended(f"the clearance of {member.id} was revoked")
    if member.is_restricted:
        raise Ended(f"a wallet of {member.id} is to be unlisted or frozen")
    if member.expires_at < intent.deadline * 1_000_000:
        raise NotCovered(f"the clearance of {member.id} expires before the deadline")
    terms = (
        member.id,
        member.debtor_wallet,
        member.creditor_wallet,
        member.token,
        member.amount_minor,
        member.reference,
    )
    cleared = (
        member.cleared_id,
        member.cleared_debtor,
        member.cleared_creditor,
        member.cleared_token,
        member.cleared_minor,
        member.cleared_reference,
    )
    if terms != cleared or (member.token, member.debtor_wallet, member.rail) != (
        intent.token,
        intent.debtor_wallet,
        limits.rail,
    ):
        raise NotCovered(f"the clearance of {member.id} is for other terms")


def _terms(member: Member, prefix: bytes) -> PaymentTerms:
    reference = payment_reference(
        prefix,
        sequence=member.sequence,
        creditor=Address(member.creditor_wallet),
        amount_minor=member.amount_minor,
        document_hash=member.document_sha256,
        settlement_uuid=uuid_bytes(member.id),
    )
    if reference != member.reference:
        raise NotCovered(f"the reference of {member.id} does not commit to its terms")
    return PaymentTerms(
        member.sequence, Address(member.creditor_wallet), member.amount_minor, reference
    )
