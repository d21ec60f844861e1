"""Fees: what a first attempt offers, and how a later one outbids it. Pure; wei, integers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei per gas. Source: EIP-1559."""

    max_fee_wei: int
    priority_fee_wei: int


def first_fees(base_fee_wei: int, *, priority_fee_wei: int, cap_wei: int) -> Fees:
    """Return twice the base fee and the tip: enough for six full blocks in a row."""
    return _capped(2 * base_fee_wei + priority_fee_wei, max(priority_fee_wei, 1), cap_wei)


def outbid(last: Fees, base_fee_wei: int, *, priority_fee_wei: int, cap_wei: int) -> Fees | None:
    """Return both fees at least 12.5 % up, rounded up; None where the cap leaves no room.

    geth takes a replacement only at +10 % on both; anvil takes less, so this rule is ours.
    """
    fresh = first_fees(base_fee_wei, priority_fee_wei=priority_fee_wei, cap_wei=cap_wei)
    wanted = Fees(
        max(raised(last.max_fee_wei), fresh.max_fee_wei),
        max(raised(last.priority_fee_wei), fresh.priority_fee_wei),
    )
    return wanted if wanted.max_fee_wei <= cap_wei else None


def raised(wei: int) -> int:
    """Return `wei` and an eighth more, rounded up."""
    return -(-wei * 9 // 8)


def _capped(max_fee_wei: int, priority_fee_wei: int, cap_wei: int) -> Fees:
    max_fee_wei = min(max_fee_wei, cap_wei)
    return Fees(max_fee_wei, min(priority_fee_wei, max_fee_wei))
