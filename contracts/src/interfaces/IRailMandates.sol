// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a debtor lets the rail take
/// @notice A debtor sets a mandate for a token, and revokes it alone; nobody can do either for it.
/// Chain time decides the day: a day is a UTC day of the block's timestamp.
interface IRailMandates {
    /// @notice `debtor` lets the rail take from it, in `token`, up to these caps, through `expiry`
    /// (Unix seconds).
    event MandateSet(
        address indexed debtor,
        address indexed token,
        uint64 capPerPayment,
        uint64 capPerDay,
        uint64 expiry
    );

    /// @notice `debtor` lets the rail take no more of `token`.
    event MandateRevoked(address indexed debtor, address indexed token);

    /// @notice A cap is zero, or 2^63 or more.
    error SettlementRail_CapInvalid(uint64 capPerPayment, uint64 capPerDay);

    /// @notice The expiry lies in the past, or beyond 2^40 - 1.
    error SettlementRail_ExpiryInvalid(uint64 expiry);

    /// @notice Lets the rail take from the caller, in `token`, up to these caps, through `expiry`
    /// (Unix seconds).
    /// @dev Requirements: `token` is listed; caps from 1 to 2^63 - 1; `expiry` not in the past and
    /// below 2^40.
    /// Notes: replaces the mandate before it. What was taken today still counts: setting again
    /// never resets the day's sum.
    function setMandate(address token, uint64 capPerPayment, uint64 capPerDay, uint64 expiry)
        external;

    /// @notice Lets the rail take no more of the caller's `token`. What was taken today still
    /// counts if it is set again.
    function revokeMandate(address token) external;

    /// @notice The mandate of `debtor` for `token`, all zero if there is none. `leftToday` is what
    /// can still be taken on the block's day (UTC, chain time); zero when expired.
    /// @dev Notes: while a batch runs, its own payments are not yet in `leftToday`.
    function mandateOf(address debtor, address token)
        external
        view
        returns (uint64 capPerPayment, uint64 capPerDay, uint64 expiry, uint64 leftToday);
}
