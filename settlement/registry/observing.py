"""Following what the canonical chain says of wallets; a reorg moves it back by itself.

Reads the watcher's logs; asks no node.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from sqlmodel import Session

from settlement.registry.standing import LOGS, Standing, before_any_log
from settlement.store.bulk import insert_rows, rows, rows_by_key, run_many

POSITION = "registry"
"""The cursor's name: below its block no log can change its place any more."""

Key: TypeAlias = tuple[str, str]
"""A wallet and a contract."""

_NAMES = ", ".join(f"'{name}'" for name in LOGS)
_CURSORS = "SELECT name, number, hash, at FROM cursor WHERE name IN ('registry', 'final', 'head')"
_MOVED = (
    "SELECT DISTINCT s.wallet, s.contract FROM chain_log l JOIN registry_standing s"
    " ON s.wallet = l.debtor AND s.contract = l.address"
    f" WHERE l.name IN ({_NAMES}) AND l.block_number > ?"
)
_NEWEST = (
    "SELECT l.debtor, l.address, l.name FROM chain_log l"
    " JOIN block b ON b.hash = l.block_hash AND b.canonical"
    f" WHERE l.debtor {{keys}} AND l.name IN ({_NAMES})"
    " ORDER BY l.block_number, l.log_index"
)
_UPDATE = (
    "UPDATE registry_standing SET actual = :actual, differs_from_block ="
    " CASE WHEN wanted = :actual THEN NULL ELSE COALESCE(differs_from_block, :head) END"
    " WHERE wallet = :wallet AND contract = :contract AND actual <> :actual"
)


def observe(session: Session) -> int:
    """Bring what wallets are to where the canonical chain has it; return how many changed.

    Looks at all logs since the block that was final the last time: whatever a reorg threw out
    or brought back lies above it.
    """
    cursors = {name: place for name, *place in rows(session, _CURSORS)}
    if "head" not in cursors:
        return 0
    looked_from = cursors.get(POSITION, (-1,))[0]
    moved = [(wallet, contract) for wallet, contract in rows(session, _MOVED, (looked_from,))]
    changed = 0
    if moved:
        found = on_chain(session, moved)
        changed = run_many(
            session,
            _UPDATE,
            [
                {"wallet": wallet, "contract": contract, "actual": actual.value,
                 "head": cursors["head"][0]}
                for (wallet, contract), actual in found.items()
            ],
        )  # fmt: skip
    final = cursors["final"]
    if final[0] != looked_from:
        insert_rows(
            session, "cursor", ("name", "number", "hash", "at"), [(POSITION, *final)],
            "ON CONFLICT (name) DO UPDATE SET number = excluded.number, hash = excluded.hash,"
            " at = excluded.at",
        )  # fmt: skip
    return changed


def on_chain(session: Session, keys: Collection[Key]) -> dict[Key, Standing]:
    """Return what the newest canonical log says of each wallet and contract."""
    rails = {rail for (rail,) in rows(session, "SELECT rail FROM deployment")}
    found = {key: before_any_log(is_rail=key[1] in rails) for key in keys}
    for wallet, contract, name in rows_by_key(session, _NEWEST, {wallet for wallet, _ in keys}):
        if (wallet, contract) in found:
            found[wallet, contract] = LOGS[name]
    return found
