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
from settlement.participants.mandates import Allowed, Mandate, allowed, mandates
from settlement.participants.registry import (
    NewParticipant,
    ParticipantExists,
    close,
    participant,
    participants,
    register,
    reinstate,
    suspend,
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
    "ParticipantExists",
    "TokenRegistryContradicted",
    "WalletRefused",
    "add_wallet",
    "allowed",
    "check_tokens",
    "checksummed",
    "close",
    "deployment",
    "grant_instructions",
    "mandates",
    "parse_address",
    "participant",
    "participants",
    "read_signed",
    "record_deployment",
    "register",
    "reinstate",
    "require_registry",
    "revoke_instruction",
    "suspend",
    "wallet_owner",
    "wallets",
]
