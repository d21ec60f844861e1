"""Saying what a wallet is to be on the chain: the strictest of all that is said holds at once.

Sends nothing: the admin's lane compares what is wanted with what is, and makes it so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from settlement.clock import to_micros
from settlement.compliance import clearance
from settlement.registry.observing import Key, on_chain
from settlement.registry.standing import Source, Standing, strictest
from settlement.store.bulk import insert_rows, rows, rows_by_key

_WISH = ("wallet", "contract", "source", "wanted", "reason", "actor", "since")
_STANDING = ("wallet", "contract", "wanted", "actual", "since", "differs_from_block")
_KEEP_WISH = (
    "ON CONFLICT (wallet, contract, source) DO UPDATE SET wanted = excluded.wanted,"
    " reason = excluded.reason, actor = excluded.actor, since = excluded.since"
    " WHERE registry_wish.wanted <> excluded.wanted"
)
_KEEP_STANDING = (
    "ON CONFLICT (wallet, contract) DO UPDATE SET wanted = excluded.wanted,"
    " since = excluded.since, differs_from_block = excluded.differs_from_block"
)
_WISHES = "SELECT wallet, contract, wanted FROM registry_wish WHERE wallet {keys}"
_STANDINGS = "SELECT wallet, contract, wanted, actual FROM registry_standing WHERE wallet {keys}"
_HEAD = "SELECT COALESCE(MAX(number), 0) FROM cursor WHERE name = 'head'"


def want(
    session: Session,
    wallets: Iterable[str],
    *,
    source: Source,
    listed: bool | None = None,
    frozen: bool | None = None,
    tokens: Sequence[str] | None = None,
    reason: str,
    actor: str,
    now: datetime,
) -> list[Key]:
    """Say for one side what wallets are to be; return whose standing that changed.

    `listed` on the rail; `frozen` on `tokens`, by default on every listed one. Whoever is to be
    unlisted or frozen has no clearance from here on: nothing unsigned is signed for it, nothing
    unmined is sent again or outbid. Before there is a rail nothing can be wanted on it.
    """
    addresses = list(dict.fromkeys(wallets))
    said = _said(session, listed=listed, frozen=frozen, tokens=tokens)
    if not addresses or not said:
        return []
    at = to_micros(now)
    insert_rows(
        session, "registry_wish", _WISH,
        [
            (wallet, contract, source.value, wanted.value, reason, actor, at)
            for wallet in addresses
            for contract, wanted in said.items()
        ],
        _KEEP_WISH,
    )  # fmt: skip
    changed = _decide(session, addresses, set(said), at)
    _end_clearances(session, changed, now)
    return list(changed)


def _said(
    session: Session, *, listed: bool | None, frozen: bool | None, tokens: Sequence[str] | None
) -> dict[str, Standing]:
    """Return what is wanted by contract."""
    said: dict[str, Standing] = {}
    if listed is not None:
        for (rail,) in rows(session, "SELECT rail FROM deployment"):
            said[rail] = Standing.LISTED if listed else Standing.UNLISTED
    if frozen is not None:
        known = [address for (address,) in rows(session, "SELECT address FROM token WHERE listed")]
        for token in known if tokens is None else tokens:
            said[token] = Standing.FROZEN if frozen else Standing.FREE
    return said


def _decide(
    session: Session, wallets: list[str], contracts: set[str], at: int
) -> dict[Key, Standing]:
    """Let the strictest wish of every side hold; return what that changed."""
    wishes: dict[Key, set[Standing]] = {}
    for wallet, contract, wanted in rows_by_key(session, _WISHES, wallets):
        if contract in contracts:
            wishes.setdefault((wallet, contract), set()).add(Standing(wanted))
    known = {
        (wallet, contract): (Standing(wanted), Standing(actual))
        for wallet, contract, wanted, actual in rows_by_key(session, _STANDINGS, wallets)
    }
    # What was never followed is read from the logs that are stored.
    fresh = on_chain(session, [key for key in wishes if key not in known])
    (head,) = rows(session, _HEAD)[0]
    changed: dict[Key, Standing] = {}
    stored: list[tuple[Any, ...]] = []
    for key, said in wishes.items():
        wanted = strictest(said)
        before, actual = known.get(key, (None, fresh.get(key)))
        if wanted == before:
            continue
        assert actual is not None, "either followed, or read from the logs just now"
        changed[key] = wanted
        stored.append((*key, wanted.value, actual.value, at, None if wanted == actual else head))
    insert_rows(session, "registry_standing", _STANDING, stored, _KEEP_STANDING)
    return changed


def _end_clearances(session: Session, changed: dict[Key, Standing], now: datetime) -> None:
    unlisted = [wallet for (wallet, _), wanted in changed.items() if wanted == Standing.UNLISTED]
    clearance.revoke_wallets(session, unlisted, now)
    frozen: dict[str, list[str]] = {}
    for (wallet, token), wanted in changed.items():
        if wanted == Standing.FROZEN:
            frozen.setdefault(token, []).append(wallet)
    for token, holders in frozen.items():
        clearance.revoke_wallets(session, holders, now, token=token)
