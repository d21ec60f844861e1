"""The rail's registry in Python: owner, operators, participants, listed tokens, pause.

The base of `rail`, as `RailRegistry` is of the contract. Settles nothing.
"""

from __future__ import annotations

from settlement.chain.admin_abi import artifact
from settlement.chain.memory.contract import (
    ZERO,
    Arguments,
    Contract,
    Frame,
    answer_address,
    answer_number,
    require,
    topic_of,
)
from settlement.chain.memory.token import PAUSED, UNPAUSED
from settlement.chain.port import Address, Hash
from settlement.chain.rail_abi import address_word, topic, word

OWNERSHIP_STARTED = topic("OwnershipTransferStarted(address,address)")
OWNERSHIP_TRANSFERRED = topic("OwnershipTransferred(address,address)")
TOKEN_LISTED = topic("TokenListed(address,uint8,bytes32)")
TOKEN_UNLISTED = topic("TokenUnlisted(address)")
PARTICIPANT_LISTED = topic("ParticipantListed(address)")
PARTICIPANT_UNLISTED = topic("ParticipantUnlisted(address)")
OPERATOR_SET = topic("OperatorSet(address,bool)")


class Registry(Contract):
    """Storage: owner, pending owner, operator, participant, kind, code hash, paused."""

    def __init__(self, owner: Address) -> None:
        self._first_owner = owner
        self.code_hash = artifact("SettlementRail").runtime_hash

    @classmethod
    def creation_code(cls) -> bytes:
        """Return the bytes that a creation of this contract begins with."""
        return artifact("SettlementRail").creation_code

    def create(self, frame: Frame) -> None:
        """See `Contract.create`."""
        require(self._first_owner != ZERO)
        self._take_ownership(frame, self._first_owner)

    def list_token(self, frame: Frame, words: Arguments) -> bytes:
        """List a token with its code's hash."""
        self._require_owner(frame)
        token, kind = words.address(0), words.number(1, 8)
        # Above 2 no such kind can be decoded; 0 is the contract's own refusal.
        require(kind in (1, 2))
        require(token != frame.this and not frame.load("participant", token))
        contract = frame.state.get(("contract", token), None)
        require(contract)
        frame.store("kind", token, value=kind)
        frame.store("code hash", token, value=contract.code_hash)
        frame.emit((TOKEN_LISTED, topic_of(token)), word(kind), contract.code_hash[2:])
        return b""

    def unlist_token(self, frame: Frame, words: Arguments) -> bytes:
        """Unlist a token."""
        self._require_owner(frame)
        token = words.address(0)
        if frame.load("kind", token):
            frame.store("kind", token, value=0)
            frame.emit((TOKEN_UNLISTED, topic_of(token)))
        return b""

    def list_participants(self, frame: Frame, words: Arguments) -> bytes:
        """List participants."""
        self._require_owner(frame)
        for account in _accounts(words):
            require(account not in (ZERO, frame.this) and not frame.load("kind", account))
            self._set_participant(frame, account, True, PARTICIPANT_LISTED)
        return b""

    def unlist_participants(self, frame: Frame, words: Arguments) -> bytes:
        """Unlist participants."""
        self._require_owner(frame)
        for account in _accounts(words):
            self._set_participant(frame, account, False, PARTICIPANT_UNLISTED)
        return b""

    def set_operator(self, frame: Frame, words: Arguments) -> bytes:
        """Let an operator settle, or end that."""
        self._require_owner(frame)
        operator, allowed = words.address(0), words.flag(1)
        require(operator not in (ZERO, frame.load("owner", default=ZERO)))
        frame.store("operator", operator, value=int(allowed))
        frame.emit((OPERATOR_SET, topic_of(operator)), word(int(allowed)))
        return b""

    def pause(self, frame: Frame, words: Arguments) -> bytes:
        """Stop settling."""
        is_owner = frame.sender == frame.load("owner", default=ZERO)
        require(is_owner or frame.load("operator", frame.sender))
        require(not frame.load("paused"))
        frame.store("paused", value=1)
        frame.emit((PAUSED,), address_word(frame.sender))
        return b""

    def unpause(self, frame: Frame, words: Arguments) -> bytes:
        """Let the rail settle again."""
        self._require_owner(frame)
        require(frame.load("paused"))
        frame.store("paused", value=0)
        frame.emit((UNPAUSED,), address_word(frame.sender))
        return b""

    def transfer_ownership(self, frame: Frame, words: Arguments) -> bytes:
        """Offer the ownership."""
        self._require_owner(frame)
        offered = words.address(0)
        frame.store("pending owner", value=offered)
        owner = frame.load("owner", default=ZERO)
        frame.emit((OWNERSHIP_STARTED, topic_of(owner), topic_of(offered)))
        return b""

    def accept_ownership(self, frame: Frame, words: Arguments) -> bytes:
        """Take the ownership that was offered."""
        require(frame.load("pending owner", default=ZERO) == frame.sender)
        self._take_ownership(frame, frame.sender)
        return b""

    def owner(self, frame: Frame, words: Arguments) -> bytes:
        """Return the owner."""
        return answer_address(frame.load("owner", default=ZERO))

    def pending_owner(self, frame: Frame, words: Arguments) -> bytes:
        """Return who was offered the ownership."""
        return answer_address(frame.load("pending owner", default=ZERO))

    def token_kind(self, frame: Frame, words: Arguments) -> bytes:
        """Return how a token is paid, 0 if it is not listed."""
        return answer_number(frame.load("kind", words.address(0)))

    def is_participant(self, frame: Frame, words: Arguments) -> bytes:
        """Return whether an account may pay and be paid."""
        return answer_number(frame.load("participant", words.address(0)))

    def is_operator(self, frame: Frame, words: Arguments) -> bytes:
        """Return whether an account may settle."""
        return answer_number(frame.load("operator", words.address(0)))

    def paused(self, frame: Frame, words: Arguments) -> bytes:
        """Return whether settling is stopped."""
        return answer_number(frame.load("paused"))

    def _require_owner(self, frame: Frame) -> None:
        require(frame.sender == frame.load("owner", default=ZERO))

    def _take_ownership(self, frame: Frame, account: Address) -> None:
        require(not frame.load("operator", account))
        before = frame.load("owner", default=ZERO)
        frame.store("pending owner", value=ZERO)
        frame.store("owner", value=account)
        frame.emit((OWNERSHIP_TRANSFERRED, topic_of(before), topic_of(account)))

    def _set_participant(self, frame: Frame, account: Address, listed: bool, event: str) -> None:
        if bool(frame.load("participant", account)) is not listed:
            frame.store("participant", account, value=int(listed))
            frame.emit((event, topic_of(account)))

    def listed_code_is_unchanged(self, frame: Frame, token: Address) -> bool:
        """Say whether a token's code is what was listed."""
        contract = frame.state.get(("contract", token), None)
        listed: Hash = frame.load("code hash", token)
        return contract is not None and contract.code_hash == listed


def _accounts(words: Arguments) -> list[Address]:
    start, count = words.list_start(0)
    return [words.address(start + place) for place in range(count)]
