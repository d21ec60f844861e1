"""Whether a change of the registry is wanted, and the call that makes it.

Pure: judges rows that were read; keeps nothing, signs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from settlement.chain.port import Address
from settlement.chain.registry_abi import registry_calldata
from settlement.signer.coverage import Ended, NotCovered
from settlement.signer.limits import SigningLimits
from settlement.signer.records import Change, Intent

_ON_THE_RAIL = ("listed", "unlisted")
_LETS = ("listed", "free")
"""What lets a wallet pay and be paid: wanted of everybody in the call. What stops one is sent as
long as it is wanted of anybody in it: nobody gains by it who should not."""


def call(intent: Intent, changes: Sequence[Change], limits: SigningLimits) -> bytes:
    """Build the call from its changes, each on our rail or on a listed token, and wanted.

    Raises:
        NotCovered: it is no such change, or the stored call differs.
        Ended: it was wanted, and is not any more.
    """
    if intent.kind != "admin":
        raise NotCovered("only changes of the registry are signed here")
    if not changes or len(changes) != intent.member_count:
        raise NotCovered(f"{len(changes)} of {intent.member_count} changes are stored")
    effect = changes[0].effect
    if any((each.effect, each.contract) != (effect, intent.to_address) for each in changes):
        raise NotCovered("its changes are not of one kind and of the contract that it calls")
    for each in changes:
        if each.effect in _ON_THE_RAIL and each.contract != limits.rail:
            raise NotCovered(f"{each.contract} is not the rail of this signer")
        if each.effect not in _ON_THE_RAIL and not each.token_is_listed:
            raise NotCovered(f"{each.contract} is no listed token")
    _require_wanted(effect, changes)
    try:
        calldata = registry_calldata(effect, [Address(each.wallet) for each in changes])
    except ValueError as error:
        raise NotCovered(str(error)) from error
    if calldata != intent.calldata:
        raise NotCovered("the stored call is not what its changes say")
    return calldata


def _require_wanted(effect: str, changes: Sequence[Change]) -> None:
    if effect not in _LETS:
        if all(each.wanted != effect for each in changes):
            raise Ended(f"nobody in it is to be {effect} any more")
        return
    for each in changes:
        if each.wanted != effect or each.is_bound:
            raise Ended(f"{each.wallet} is to be {each.wanted or 'nothing'}, not {effect}")
        if effect == "listed" and each.owner_state != "active":
            raise Ended(f"the owner of {each.wallet} is {each.owner_state or 'no participant'}")
