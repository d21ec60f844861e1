"""Signing: only what a live clearance covers, read by the signer itself.

The interface is tiny: it signs intents (a chain transaction's id and fees), never bytes.
"""

from settlement.signer.intents import IntentSigner
from settlement.signer.port import Refusal, Signature, Signer, SigningRequest
from settlement.signer.slots import SlotStore

__all__ = ["IntentSigner", "Refusal", "Signature", "Signer", "SigningRequest", "SlotStore"]
