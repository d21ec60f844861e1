"""Whose hand an act was: the person behind a key, or the machine's key. The role does not count."""

from __future__ import annotations


def hand_of(actor: str) -> str:
    """Return the hand behind an event row's `role:hand`; a word without a role is its own. Pure."""
    return actor.partition(":")[2] or actor


def same_hand(one: str, other: str) -> bool:
    """Say whether two actors are one pair of eyes, whatever their roles. Pure."""
    return hand_of(one) == hand_of(other)
