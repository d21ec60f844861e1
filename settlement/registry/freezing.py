"""Freezing a participant's wallets on tokens, at once; freeing them, with a second person.

Says what is to be; the admin's lane makes it so. A freeze takes nothing from anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from settlement import approvals
from settlement.approvals import Approval
from settlement.clock import Ids
from settlement.errors import Conflict, Invalid, NotFound
from settlement.registry.standing import Source
from settlement.registry.wishes import want
from settlement.store.bulk import rows

KIND = "unfreeze"
"""Of a request for a second person."""
REASON_MAX = 500


class NothingToFreeze(Conflict):
    """The participant has no wallet that a token could freeze."""

    def __init__(self, participant_id: str) -> None:
        super().__init__(
            f"{participant_id} has no wallet",
            field="participant_id",
            repair="register a wallet first; whoever has none can neither pay nor be paid",
        )


class NotFrozen(Conflict):
    """None of the wallets is to be frozen by compliance on these tokens."""

    def __init__(self, participant_id: str) -> None:
        super().__init__(
            f"compliance has frozen no wallet of {participant_id} on these tokens",
            field="tokens",
            repair="look with GET /v1/registry at what is wanted of each wallet, and by whom",
        )


def freeze(
    session: Session,
    participant_id: str,
    symbols: Sequence[str],
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> None:
    """Want every wallet of a participant frozen on these tokens, or on all; a second time no-op.

    Its payments in them have no clearance from here on.

    Raises:
        NotFound: no such participant.
        Invalid: a token that is not listed.
        NothingToFreeze: it has no wallet.
    """
    want(
        session, _wallets(session, participant_id), source=Source.COMPLIANCE, frozen=True,
        tokens=_tokens(session, symbols), reason=reason, actor=actor, now=now,
    )  # fmt: skip


def ask_unfreeze(
    session: Session,
    participant_id: str,
    symbols: Sequence[str],
    *,
    reason: str,
    hand: str,
    role: str,
    ids: Ids,
    now: datetime,
) -> Approval:
    """Ask for a second person who lets the wallets be free again on these tokens, or on all.

    Raises:
        NotFound, Invalid: as `freeze`.
        NotFrozen: there is nothing to free.
        ApprovalOpen: it is asked already.
        NoApprovalRule: this role may not ask.
    """
    tokens = _tokens(session, symbols)
    frozen = [
        (wallet, contract)
        for wallet, contract in rows(
            session,
            "SELECT r.wallet, r.contract FROM registry_wish r JOIN wallet w ON w.address = r.wallet"
            " WHERE w.participant_id = ? AND r.source = 'compliance' AND r.wanted = 'frozen'"
            " ORDER BY r.wallet, r.contract",
            (_known(session, participant_id),),
        )
        if contract in tokens
    ]
    if not frozen:
        raise NotFrozen(participant_id)
    return approvals.ask(
        session, kind=KIND, subject=participant_id,
        terms={"act": "unfreeze", "wallets": [f"{wallet} on {token}" for wallet, token in frozen]},
        maker=hand, role=role, reason=reason, ids=ids, now=now,
    )  # fmt: skip


def apply_unfreeze(session: Session, approval: Approval, now: datetime) -> None:
    """Do what was approved: what others want frozen stays frozen."""
    assert approval.state == "approved" and approval.kind == KIND
    for each in approval.terms["wallets"]:
        wallet, _, token = str(each).partition(" on ")
        want(
            session, [wallet], source=Source.COMPLIANCE, frozen=False, tokens=[token],
            reason=approval.reason, actor=approval.approvers[-1], now=now,
        )  # fmt: skip


def _wallets(session: Session, participant_id: str) -> list[str]:
    found = rows(
        session,
        "SELECT address FROM wallet WHERE participant_id = ? ORDER BY address",
        (_known(session, participant_id),),
    )
    if not found:
        raise NothingToFreeze(participant_id)
    return [address for (address,) in found]


def _known(session: Session, participant_id: str) -> str:
    if not rows(session, "SELECT 1 FROM participant WHERE id = ?", (participant_id,)):
        raise NotFound("participant", participant_id)
    return participant_id


def _tokens(session: Session, symbols: Sequence[str]) -> list[str]:
    """Return addresses of tokens by their symbols; of every listed one where none is named."""
    known: dict[str, str] = dict(
        rows(session, "SELECT symbol, address FROM token WHERE listed ORDER BY symbol")
    )
    for place, symbol in enumerate(symbols):
        if symbol not in known:
            raise Invalid(
                f"there is no listed token {symbol[:20]!r}", field=f"tokens/{place}",
                repair="GET /v1/tokens has their symbols",
            )  # fmt: skip
    return [known[symbol] for symbol in symbols or known]
