// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice How a listed token is paid. The numbers are part of the interface.
/// None: not listed. Exact: vetted code that moves exactly the amount or fails; its code hash is
/// watched. Checked: any other token; each payment compares balances and is undone if they did not
/// move exactly.
enum TokenKind {
    None,
    Exact,
    Checked
}

/// @title Who and what a rail works with
/// @notice The owner lists tokens and participants and names operators. An operator may settle and
/// pause, nothing else: it can neither list nor unpause. Nobody can be owner and operator at once.
interface IRailRegistry {
    /// @notice `token` can be settled in from now on; `codeHash` is its code's hash when it was
    /// listed.
    event TokenListed(address indexed token, TokenKind kind, bytes32 codeHash);

    /// @notice Nothing can be settled in `token` from now on.
    event TokenUnlisted(address indexed token);

    /// @notice `participant` may pay and be paid from now on.
    event ParticipantListed(address indexed participant);

    /// @notice `participant` can neither pay nor be paid from now on.
    event ParticipantUnlisted(address indexed participant);

    /// @notice `operator` may settle and pause from now on, or no longer.
    event OperatorSet(address indexed operator, bool allowed);

    /// @notice The caller is no operator.
    error SettlementRail_NotOperator(address caller);

    /// @notice The caller is neither the owner nor an operator.
    error SettlementRail_NotOwnerOrOperator(address caller);

    /// @notice The owner cannot be an operator too, nor the zero address be one.
    error SettlementRail_OperatorInvalid(address operator);

    /// @notice A rail without an owner could never be unpaused.
    error SettlementRail_OwnerRequired();

    /// @notice A token is listed as exact or as checked; `None` is what unlisting leaves.
    error SettlementRail_TokenKindInvalid(address token);

    /// @notice There is no contract of its own code at `token`: it is empty, or an account that
    /// only delegates.
    error SettlementRail_TokenWithoutCode(address token);

    /// @notice `token` is a listed participant, or the rail itself.
    error SettlementRail_TokenInvalid(address token);

    /// @notice `token` is not listed.
    error SettlementRail_TokenNotListed(address token);

    /// @notice The zero address, the rail itself and a listed token can be no participant.
    error SettlementRail_ParticipantInvalid(address participant);

    /// @notice Lists `token`, or lists it again after its code or its kind changed.
    /// @dev Requirements: the caller is the owner; `token` has code of its own, is no participant
    /// and not the rail.
    /// Notes: list as exact only what was read line by line and cannot change behind its code hash:
    /// no proxy, no fee, no hook, no rebasing, false or a revert whenever nothing moved. Everything
    /// else is checked.
    function listToken(address token, TokenKind kind) external;

    /// @notice Unlists `token`. Unlisting what is not listed changes nothing.
    /// @dev Requirements: the caller is the owner.
    function unlistToken(address token) external;

    /// @notice Lists each of `participants`. Who is listed already stays listed.
    /// @dev Requirements: the caller is the owner; none is the zero address, the rail or a listed
    /// token.
    function listParticipants(address[] calldata participants) external;

    /// @notice Unlists each of `participants`. Who is not listed stays unlisted.
    /// @dev Requirements: the caller is the owner.
    function unlistParticipants(address[] calldata participants) external;

    /// @notice Lets `operator` settle and pause, or ends that.
    /// @dev Requirements: the caller is the owner; `operator` is neither the owner nor the zero
    /// address.
    function setOperator(address operator, bool allowed) external;

    /// @notice Stops every settlement. Mandates can still be set and revoked.
    /// @dev Requirements: the caller is the owner or an operator; not paused.
    function pause() external;

    /// @notice Lets the rail settle again.
    /// @dev Requirements: the caller is the owner; paused.
    function unpause() external;

    /// @notice How `token` is paid; `None` when it is not listed.
    function tokenKind(address token) external view returns (TokenKind);

    /// @notice Whether `account` may pay and be paid.
    function isParticipant(address account) external view returns (bool);

    /// @notice Whether `account` may settle and pause.
    function isOperator(address account) external view returns (bool);
}
