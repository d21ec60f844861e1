"""Who is who: companies, their wallets and mandates, and the deployment that all of it stands on.

Decides no payment; sends nothing.
"""

from settlement.participants.addresses import AddressInvalid, checksummed, parse_address
from settlement.participants.deployments import (
    OtherDeployment,
    TokenRegistryContradicted,
    check_tokens,
    deployment,
    record_deployment,
    require_registry,
)
from settlement.participants.grants import (
    GrantTerms,
    NotAMandateCall,
    grant_instructions,
    read_signed,
    revoke_instruction,
)
from settlement.participants.identity import NewParticipant
from settlement.participants.mandates import Allowed, Mandate, allowed, mandates
from settlement.participants.moves import close, expire_due, reinstate, suspend
from settlement.participants.profiles import (
    Owner,
    Profile,
    Screenable,
    WalletStanding,
    profiles,
    screenable,
    screenables,
    wallet_standings,
)
from settlement.participants.registry import (
    ParticipantExists,
    apply,
    participant,
    participants,
    register,
)
from settlement.participants.wallets import (
    WalletRefused,
    add_wallet,
    wallet_owner,
    wallets,
)

__all__ = [
    "AddressInvalid",
    "Allowed",
    "GrantTerms",
    "Mandate",
    "NewParticipant",
    "NotAMandateCall",
    "OtherDeployment",
    "Owner",
    "ParticipantExists",
    "Profile",
    "Screenable",
    "TokenRegistryContradicted",
    "WalletRefused",
    "WalletStanding",
    "add_wallet",
    "allowed",
    "apply",
    "check_tokens",
    "checksummed",
    "close",
    "deployment",
    "expire_due",
    "grant_instructions",
    "mandates",
    "parse_address",
    "participant",
    "participants",
    "profiles",
    "read_signed",
    "record_deployment",
    "register",
    "reinstate",
    "require_registry",
    "revoke_instruction",
    "screenable",
    "screenables",
    "suspend",
    "wallet_owner",
    "wallet_standings",
    "wallets",
]
