// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice One payment of a batch, packed for cheap calldata.
/// terms: creditor (160 bits) << 96 | amount (64 bits) << 32 | sequence offset (32 bits).
/// ref: commits to the payment's terms and its document; carried into the event, not read by the
/// rail.
struct Payment {
    uint256 terms;
    bytes32 ref;
}

/// @notice Why a payment was not made. The numbers are part of the interface. They are judged in
/// the order AlreadySettled, AmountInvalid, DebtorNotListed, MandateMissing, MandateExpired,
/// CreditorNotListed, OverPaymentCap, OverDayCap, TokenRefused; the first that applies is reported.
enum Rejection {
    None,
    /// The debtor's sequence has been paid before.
    AlreadySettled,
    /// The debtor has set no mandate for the token, or has revoked it.
    MandateMissing,
    /// The mandate's expiry lies before the block's time.
    MandateExpired,
    /// The amount is over the mandate's cap per payment.
    OverPaymentCap,
    /// The amount is over what the mandate leaves for the day.
    OverDayCap,
    /// The debtor is not a listed participant.
    DebtorNotListed,
    /// The creditor is not a listed participant, or is the debtor itself.
    CreditorNotListed,
    /// The token refused, used up its gas, or did not move exactly the amount.
    TokenRefused,
    /// The amount is zero, or 2^63 or more.
    AmountInvalid
}

/// @title A rail that pays creditors from debtors, each payment at most once
/// @notice An operator submits batches; a debtor's mandate bounds what they can take from it. The
/// rail never holds money: the debtor pays the creditor directly.
/// @dev Guarantees, each tested:
/// - A (debtor, sequence) is paid at most once, whatever was rejected before, in whatever order, on
///   any branch of the chain.
/// - A payment that is reported settled moved exactly its amount; one that is reported rejected
///   moved nothing.
/// - One bad payment never stops its batch, not even by using up all the gas of its token call.
/// - From one debtor, in one token and one UTC day of chain time, at most the mandate's cap per day
///   leaves, and only to listed creditors. So a stolen operator key costs a debtor, within any 24
///   hours, at most min(allowance, 2 x cap per day) for each token: the caps of the two days that
///   the hours touch.
/// - There is no proxy, no upgrade and no arbitrary call.
interface ISettlementRail {
    /// @notice The payment was made: `token` moved `amount` from `debtor` to `creditor`.
    event Settled(
        address indexed debtor,
        uint256 indexed sequence,
        bytes32 indexed ref,
        address token,
        address creditor,
        uint256 amount
    );

    /// @notice The payment was not made, and its sequence stays free unless `code` is
    /// AlreadySettled.
    event Rejected(
        address indexed debtor,
        uint256 indexed sequence,
        bytes32 indexed ref,
        address token,
        address creditor,
        uint256 amount,
        Rejection code
    );

    /// @notice The batch's deadline has passed; judged by the block's time.
    error SettlementRail_PastDeadline(uint256 deadline, uint256 blockTime);

    /// @notice A batch has at least one payment.
    error SettlementRail_BatchEmpty();

    /// @notice Sequences are 64 bits wide; this one leaves no room for a payment's offset.
    error SettlementRail_SequenceTooLarge(uint256 baseSequence);

    /// @notice The code of a token listed as exact is not the code that was listed.
    error SettlementRail_TokenCodeChanged(address token, bytes32 codeHash);

    /// @notice Too little gas is left to give the next token call its full bound.
    error SettlementRail_GasTooLow(uint256 gasLeft, uint256 gasNeeded);

    /// @notice Only the rail calls this, on itself.
    error SettlementRail_NotSelf(address caller);

    /// @notice A checked token did not move exactly the amount.
    error SettlementRail_NotMovedExactly(address token);

    /// @notice Pays a batch: each payment is made, or rejected with its reason, in the order given.
    /// @dev Requirements: the caller is an operator; not paused; the block's time is not past
    /// `deadline`; `token` is listed, and unchanged if it is exact; there is a payment;
    /// `baseSequence` leaves room for every offset; enough gas is left for the bound of each token
    /// call (TOKEN_GAS and its margin). If one fails, nothing at all happens.
    /// Notes: emits exactly one of {Settled} and {Rejected} for each payment.
    function settle(
        address token,
        address debtor,
        uint256 deadline,
        uint256 baseSequence,
        Payment[] calldata payments
    ) external;

    /// @notice Pays one payment in a checked token, or reverts and so undoes it alone.
    /// @dev Requirements: the caller is the rail itself; the creditor's balance grows and the
    /// debtor's shrinks by exactly `amount`.
    function payChecked(address token, address debtor, address creditor, uint256 amount) external;

    /// @notice Whether the debtor's `sequence` has been paid.
    function isSettled(address debtor, uint256 sequence) external view returns (bool);
}
