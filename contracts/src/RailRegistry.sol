// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRailRegistry, TokenKind} from "./interfaces/IRailRegistry.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

/// @title RailRegistry
/// @notice See {IRailRegistry}.
abstract contract RailRegistry is IRailRegistry, Ownable2Step, Pausable {
    /// @dev One slot: 248 bits of a hash still cannot be forged, and a batch reads one slot less.
    struct Listing {
        bytes31 codeHash;
        TokenKind kind;
    }

    /// @dev The first three bytes of an account that runs another account's code (EIP-7702).
    bytes3 private constant DELEGATION_PREFIX = 0xef0100;

    mapping(address token => Listing) internal _listings;
    mapping(address account => bool) internal _participants;
    mapping(address account => bool) private _operators;

    /// @inheritdoc IRailRegistry
    function listToken(address token, TokenKind kind) external onlyOwner {
        if (kind == TokenKind.None) revert SettlementRail_TokenKindInvalid(token);
        if (token == address(this) || _participants[token]) {
            revert SettlementRail_TokenInvalid(token);
        }
        if (token.code.length == 0 || bytes3(token.code) == DELEGATION_PREFIX) {
            revert SettlementRail_TokenWithoutCode(token);
        }
        _listings[token] = Listing({codeHash: bytes31(token.codehash), kind: kind});
        emit TokenListed(token, kind, token.codehash);
    }

    /// @inheritdoc IRailRegistry
    function unlistToken(address token) external onlyOwner {
        if (_listings[token].kind == TokenKind.None) return;
        delete _listings[token];
        emit TokenUnlisted(token);
    }

    /// @inheritdoc IRailRegistry
    function listParticipants(address[] calldata participants) external onlyOwner {
        for (uint256 i = 0; i < participants.length; ++i) {
            address participant = participants[i];
            bool isToken = _listings[participant].kind != TokenKind.None;
            if (participant == address(0) || participant == address(this) || isToken) {
                revert SettlementRail_ParticipantInvalid(participant);
            }
            if (_participants[participant]) continue;
            _participants[participant] = true;
            emit ParticipantListed(participant);
        }
    }

    /// @inheritdoc IRailRegistry
    function unlistParticipants(address[] calldata participants) external onlyOwner {
        for (uint256 i = 0; i < participants.length; ++i) {
            address participant = participants[i];
            if (!_participants[participant]) continue;
            _participants[participant] = false;
            emit ParticipantUnlisted(participant);
        }
    }

    /// @inheritdoc IRailRegistry
    function setOperator(address operator, bool allowed) external onlyOwner {
        if (operator == address(0) || operator == owner()) {
            revert SettlementRail_OperatorInvalid(operator);
        }
        _operators[operator] = allowed;
        emit OperatorSet(operator, allowed);
    }

    /// @inheritdoc IRailRegistry
    function pause() external {
        if (msg.sender != owner() && !_operators[msg.sender]) {
            revert SettlementRail_NotOwnerOrOperator(msg.sender);
        }
        _pause();
    }

    /// @inheritdoc IRailRegistry
    function unpause() external onlyOwner {
        _unpause();
    }

    /// @notice Refused: a rail without an owner could never be unpaused.
    function renounceOwnership() public view override onlyOwner {
        revert SettlementRail_OwnerRequired();
    }

    /// @inheritdoc IRailRegistry
    function tokenKind(address token) external view returns (TokenKind) {
        return _listings[token].kind;
    }

    /// @inheritdoc IRailRegistry
    function isParticipant(address account) external view returns (bool) {
        return _participants[account];
    }

    /// @inheritdoc IRailRegistry
    function isOperator(address account) public view returns (bool) {
        return _operators[account];
    }

    /// @dev Ownership never goes to an operator, neither when it is offered nor when it is taken.
    function _transferOwnership(address newOwner) internal override {
        if (_operators[newOwner]) revert SettlementRail_OperatorInvalid(newOwner);
        super._transferOwnership(newOwner);
    }
}
