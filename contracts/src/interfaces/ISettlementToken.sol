// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A currency's test money
/// @notice ERC-20 with 6 decimals, EIP-2612 permits and EIP-3009 authorizations. Every power that a
/// role has is written down here; there is no other. No role can move or take the money of an
/// account that did not allow it.
interface ISettlementToken {
    /// @notice `account` can neither send nor receive from now on.
    event Frozen(address indexed account);

    /// @notice `account` can send and receive again.
    event Unfrozen(address indexed account);

    /// @notice A frozen account took part in a transfer, mint or burn.
    error SettlementToken_AccountFrozen(address account);

    /// @notice The supply would pass 2^63 - 1, the most that a ledger of 64-bit integers can book.
    error SettlementToken_SupplyTooLarge(uint256 supply);

    /// @notice Creates `amount` for `account`.
    /// @dev Requirements: the caller has MINTER_ROLE; not paused; `account` is not frozen; the
    /// supply stays below 2^63.
    function mint(address account, uint256 amount) external;

    /// @notice Destroys `amount` of `account`: money that was redeemed.
    /// @dev Requirements: the caller has BURNER_ROLE and is `account` or has its allowance; not
    /// paused; `account` is not frozen and has the amount.
    function burn(address account, uint256 amount) external;

    /// @notice Stops every transfer, mint and burn.
    /// @dev Requirements: the caller has PAUSER_ROLE; not paused.
    function pause() external;

    /// @notice Lets money move again.
    /// @dev Requirements: the caller has PAUSER_ROLE; paused.
    function unpause() external;

    /// @notice Stops `account` from sending and receiving. Freezing a frozen account changes
    /// nothing.
    /// @dev Requirements: the caller has FREEZER_ROLE.
    function freeze(address account) external;

    /// @notice Lets `account` send and receive again. Unfreezing an account that is not frozen
    /// changes nothing.
    /// @dev Requirements: the caller has FREEZER_ROLE.
    function unfreeze(address account) external;

    /// @notice Whether `account` is frozen.
    function isFrozen(address account) external view returns (bool);
}
