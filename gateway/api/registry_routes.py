"""The routes of what is listed and frozen on the chain, with an example of each."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from gateway.api import registry
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import CommandRoute, QueryRoute, body_of

_STANDINGS = "`listed` or `unlisted` on the rail, `frozen` or `free` on a token."


class RegistryWish(Shape):
    """What one side wants; the strictest of all sides holds."""

    source: str = Field(description="participant, screening or compliance.")
    wanted: str
    reason: str
    actor: str
    since: str


class RegistryChange(Shape):
    """A chain transaction of the admin's lane that is not final yet."""

    chain_tx_id: str
    effect: str
    state: str
    cancelling: bool


class RegistryStanding(Shape):
    """A wallet on the rail or on a token."""

    object: Literal["registry_standing"]
    wallet: str
    contract: str
    token: str | None = Field(description="Its symbol; null on the rail.")
    participant_id: str | None
    wanted: str = Field(description=_STANDINGS)
    actual: str = Field(description=_STANDINGS)
    since: str
    differs_from_block: int | None = Field(description="null while the chain is as wanted.")
    wishes: list[RegistryWish]
    under_way: list[RegistryChange]


class RegistryList(Shape):
    """A page of wallets on contracts, in order of both."""

    object: Literal["list"]
    has_more: bool
    data: list[RegistryStanding]


class UnfreezeRequest(Shape):
    """What waits for a second person."""

    object: Literal["unfreeze_request"]
    participant_id: str
    approval_id: str
    state: str
    wallets: list[str]


_PARTICIPANT = "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f"
_WALLET = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
_TOKEN = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
_FROZEN: dict[str, Any] = {
    "object": "registry_standing",
    "wallet": _WALLET,
    "contract": _TOKEN,
    "token": "TUSD",
    "participant_id": _PARTICIPANT,
    "wanted": "frozen",
    "actual": "free",
    "since": "2026-11-30T09:30:00.000000Z",
    "differs_from_block": 4211,
    "wishes": [
        {
            "source": "compliance",
            "wanted": "frozen",
            "reason": "a court's order of 30 November",
            "actor": "compliance:per_019a8f2e5a0b7c1d8e2f3a4b5c6d7e90",
            "since": "2026-11-30T09:30:00.000000Z",
        }
    ],
    "under_way": [
        {
            "chain_tx_id": "ctx_019a8f2e6c1f7d3e9b6a2d4c5e6f7084",
            "effect": "frozen",
            "state": "SENT",
            "cancelling": False,
        }
    ],
}
_LIST = {"object": "list", "has_more": False, "data": [_FROZEN]}
_BODY = {"tokens": ["TUSD"], "reason": "a court's order of 30 November"}

COMMANDS = (
    CommandRoute(
        "/v1/participants/{participant_id}/freeze",
        registry.plan_freeze,
        "Freeze a participant's wallets on tokens",
        body_of(registry.FreezeBody, {"one token": _BODY, "all tokens": {"reason": "a hit"}}),
        RegistryList,
        _LIST,
        tag="registry",
    ),
    CommandRoute(
        "/v1/participants/{participant_id}/unfreeze",
        registry.plan_unfreeze,
        "Ask a second person to free a participant's wallets",
        body_of(registry.FreezeBody, {"one token": {**_BODY, "reason": "the order was lifted"}}),
        UnfreezeRequest,
        {
            "object": "unfreeze_request",
            "participant_id": _PARTICIPANT,
            "approval_id": "apr_019a8f2e6c1f7d3e9b6a2d4c5e6f7085",
            "state": "open",
            "wallets": [f"{_WALLET.lower()} on {_TOKEN.lower()}"],
        },
        status=202,
        tag="registry",
    ),
)
QUERIES = (
    QueryRoute(
        "/v1/registry",
        registry.list_registry,
        "List what wallets are to be on the chain, and are",
        RegistryList,
        _LIST,
        tag="registry",
    ),
)
