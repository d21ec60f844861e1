"""One frozen settings object: what an operator may choose, with the shipped values.

Reads the environment only when asked to (`Settings()` in `gateway`); secrets are not in it.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class BookingTier(BaseSettings):
    """From this total of a chain transaction on, money is booked at `confirmations` blocks."""

    model_config = SettingsConfigDict(frozen=True)
    from_units: int
    """Whole units of the token's currency."""
    confirmations: int = Field(ge=1)


class SignerAmounts(BaseModel):
    """What the signer lets move: whole units of a token; a day is a UTC date."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    payment_units: int = Field(default=10_000_000, ge=0)
    day_units: int = Field(default=10_000_000_000, ge=0)
    debtor_day_units: int = Field(default=1_000_000_000, ge=0)


class Settings(BaseSettings):
    """Set by `SETTLE_…` in the environment, for instance `SETTLE_FINALITY_CONFIRMATIONS=24`."""

    model_config = SettingsConfigDict(env_prefix="SETTLE_", frozen=True, extra="ignore")

    home: Path = Path(".settle")
    """Where database, keystores, logs and the chain's state of this installation are."""
    database_url: str = ""
    """Empty: a SQLite file in `home`."""
    rpc_url: str = ""
    """Empty: `settle up` starts its own anvil."""
    rpc_url_second: str = ""
    """Another node of the same chain: nothing is believed that it does not say too."""
    prove_blocks: bool = False
    """Recompute headers' hashes and receipts' roots: nothing can be made up about a block then."""
    rpc_timeout_seconds: int = Field(default=20, ge=1)
    host: str = "127.0.0.1"
    port: int = Field(default=8400, ge=0, le=65535)

    console_url: str = ""
    """Where browsers find the gateway, such as `https://rail.example`; empty: on this machine."""
    session_idle_minutes: int = Field(default=30, ge=1)
    session_minutes: int = Field(default=600, ge=1)
    """Then a person signs in again, however busy."""
    oidc_issuer: str = ""
    """The OpenID provider at which people sign in; empty: with a password and a code alone."""
    oidc_client_id: str = ""
    oidc_client_secret_file: Path | None = None
    """Mode 0600; none: a public client, by PKCE alone."""
    failed_keys_per_minute: int = Field(default=60, ge=1)
    """Requests without a valid key that one address may send; then it waits."""
    sign_ins_per_minute: int = Field(default=20, ge=1)
    """Attempts at signing in that one address may make."""
    open_per_minute: int = Field(default=1200, ge=1)
    """Requests of one address for what needs no key."""

    batch_payments_max: int = Field(default=100, ge=1, le=100)
    lane_in_flight_max: int = Field(default=256, ge=1)
    """Unmined chain transactions of one lane: 16 suits a geth-like pool, 256 anvil."""
    worker_lanes_max: int = Field(default=64, ge=0)
    """Lanes that one worker holds at most: the others are for other workers."""
    lane_threads_max: int = Field(default=1, ge=1)
    """Lanes of one worker that wait for signer and node at the same time; 1: one after another."""
    operators: int = Field(default=1, ge=1, le=16)
    """Signers of this installation, each with a key, a process and a lane of its own."""
    lease_seconds: int = Field(default=5, ge=1)
    blocks_per_tick_max: int = Field(default=64, ge=1)
    backfill_blocks_max: int = Field(default=1000, ge=1)
    """The same where the chain is far ahead: of blocks that are final, and mostly not ours."""
    settlements_per_tick_max: int = Field(default=5000, ge=1)

    finality_confirmations: int = Field(default=12, ge=1)
    """A block with so many (itself counted) is final; a reorg past it stops the worker."""
    booking_tiers: tuple[BookingTier, ...] = (
        BookingTier(from_units=0, confirmations=1),
        BookingTier(from_units=100_000, confirmations=6),
    )
    clearance_lifetime_seconds: int = Field(default=3600, ge=60)
    resend_after_blocks: int = Field(default=3, ge=1)
    bump_after_blocks: int = Field(default=6, ge=1)
    fee_cap_wei: int = Field(default=500_000_000_000, ge=1)
    priority_fee_wei: int = Field(default=1_000_000_000, ge=0)
    admin_priority_fee_wei: int = Field(default=5_000_000_000, ge=0)
    """The tip of what lists and freezes: whoever is to be stopped is stopped before others pay."""
    admin_bump_after_blocks: int = Field(default=2, ge=1)
    registry_differs_blocks_max: int = Field(default=20, ge=1)
    """Blocks after which a wallet that is not what it is to be on the chain is a concern."""
    reverts_max: int = Field(default=3, ge=1)
    """Batches that may revert as a whole before their settlements are held for a person."""
    upkeep_seconds: int = Field(default=10, ge=0)
    """Between two rounds of the work beside payments while there are payments to make."""
    reconcile_seconds: int = Field(default=60, ge=1)
    """Between two runs of the matching engine while there are payments to make."""
    stuck_after_seconds: int = Field(default=900, ge=60)
    """A settlement that is being sent and has not moved for so long is a break."""

    wallet_proof_domain: str = Field(default="localhost", pattern=r"^[a-z0-9.-]+(:[0-9]+)?$")
    """Where the doors are, as people read it in what their wallets sign: `rail.example`."""
    wallet_proof_seconds: int = Field(default=900, ge=60, le=86_400)
    """How long a challenge may be answered."""
    payee_cooling_off_seconds: int = Field(default=86_400, ge=0)
    """From the approval of a new wallet, account or name to the moment when money follows it."""

    signer_amounts: SignerAmounts = SignerAmounts()
    """For every token without its own, as JSON: `{"payment_units": 250000, …}`."""
    signer_token_amounts: dict[str, SignerAmounts] = {}
    """By token address, as JSON: `{"0x…": {"payment_units": 1000, …}}`."""
    signer_fee_cap_wei: int = Field(default=500_000_000_000, ge=1)
    """The highest fee per gas that the signer signs, whatever the worker asks for."""

    def booking_depth(self, total_units: int) -> int:
        """Return the confirmations at which a chain transaction of `total_units` is booked."""
        return max(
            (tier.confirmations for tier in self.booking_tiers if total_units >= tier.from_units),
            default=self.finality_confirmations,
        )
