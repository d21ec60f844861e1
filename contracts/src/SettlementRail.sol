// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RailMandates} from "./RailMandates.sol";
import {TokenKind} from "./interfaces/IRailRegistry.sol";
import {ISettlementRail, Payment, Rejection} from "./interfaces/ISettlementRail.sol";
import {TokenCall} from "./libraries/TokenCall.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// @title SettlementRail
/// @notice See {ISettlementRail}, {IRailMandates} and {IRailRegistry}.
contract SettlementRail is ISettlementRail, RailMandates {
    /// @dev 256 sequences of a debtor, a bit for each: set once it is paid. A struct, so that its
    /// place can be remembered.
    struct Word {
        uint256 bits;
    }

    /// @dev What holds for every payment of a batch. `refusal` is what rejects all of them, if
    /// anything does; `capPerPayment` and `leftToday` are then zero.
    struct Batch {
        address token;
        address debtor;
        bool isChecked;
        Rejection refusal;
        uint256 capPerPayment;
        uint256 leftToday;
    }

    /// @notice The gas that one token call may use.
    uint256 public constant TOKEN_GAS = 150_000;

    /// @notice The gas that has to be left before a token call: TOKEN_GAS, the 64th that a call
    /// leaves behind (EIP-150; twice for the self-call of a checked token), and what closing the
    /// batch takes.
    uint256 public constant GAS_NEEDED = 180_000;

    mapping(address debtor => mapping(uint256 wordIndex => Word)) private _settled;

    constructor(address owner) Ownable(owner) {}

    /// @inheritdoc ISettlementRail
    function settle(
        address token,
        address debtor,
        uint256 deadline,
        uint256 baseSequence,
        Payment[] calldata payments
    ) external nonReentrant whenNotPaused {
        // Check: what stops the whole batch.
        if (!isOperator(msg.sender)) revert SettlementRail_NotOperator(msg.sender);
        if (block.timestamp > deadline) {
            revert SettlementRail_PastDeadline(deadline, block.timestamp);
        }
        if (payments.length == 0) revert SettlementRail_BatchEmpty();
        if (baseSequence > type(uint64).max - type(uint32).max) {
            revert SettlementRail_SequenceTooLarge(baseSequence);
        }

        Batch memory batch = _open(token, debtor);
        uint256 spent = _settleAll(batch, baseSequence, payments);
        // Effect: the day's sum, once for the batch. The guard keeps everybody out who could read
        // or change it before.
        if (spent != 0) _spend(debtor, token, spent);
    }

    /// @inheritdoc ISettlementRail
    function payChecked(address token, address debtor, address creditor, uint256 amount) external {
        if (msg.sender != address(this)) revert SettlementRail_NotSelf(msg.sender);

        (bool knowsDebtor, uint256 debtorBefore) = TokenCall.balanceOf(token, debtor);
        (bool knowsCreditor, uint256 creditorBefore) = TokenCall.balanceOf(token, creditor);
        bool agreed = TokenCall.transferFrom(token, debtor, creditor, amount, gasleft());
        (bool knowsDebtorStill, uint256 debtorAfter) = TokenCall.balanceOf(token, debtor);
        (bool knowsCreditorStill, uint256 creditorAfter) = TokenCall.balanceOf(token, creditor);

        bool answered = knowsDebtor && knowsCreditor && knowsDebtorStill && knowsCreditorStill;
        unchecked {
            // Wrapping is harmless: `amount` is below 2^63, and only an exact move gives exactly
            // `amount` twice.
            bool moved =
                debtorBefore - debtorAfter == amount && creditorAfter - creditorBefore == amount;
            if (!answered || !agreed || !moved) revert SettlementRail_NotMovedExactly(token);
        }
    }

    /// @inheritdoc ISettlementRail
    function isSettled(address debtor, uint256 sequence) external view returns (bool) {
        return _settled[debtor][sequence >> 8].bits & (1 << (sequence & 0xff)) != 0;
    }

    /// @dev Reads once what holds for every payment of the batch. Reverts if the token cannot be
    /// settled in.
    function _open(address token, address debtor) private view returns (Batch memory batch) {
        Listing memory listing = _listings[token];
        if (listing.kind == TokenKind.None) revert SettlementRail_TokenNotListed(token);
        if (listing.kind == TokenKind.Exact && bytes31(token.codehash) != listing.codeHash) {
            revert SettlementRail_TokenCodeChanged(token, token.codehash);
        }

        batch.token = token;
        batch.debtor = debtor;
        batch.isChecked = listing.kind == TokenKind.Checked;
        Mandate memory mandate = _mandates[debtor][token];
        if (!_participants[debtor]) batch.refusal = Rejection.DebtorNotListed;
        else if (mandate.capPerDay == 0) batch.refusal = Rejection.MandateMissing;
        else if (block.timestamp > mandate.expiry) batch.refusal = Rejection.MandateExpired;
        if (batch.refusal != Rejection.None) return batch;
        batch.capPerPayment = mandate.capPerPayment;
        batch.leftToday = _leftToday(mandate);
    }

    /// @dev Makes or rejects each payment, and says so in exactly one event. Returns what was paid
    /// in all. Written for gas: a payment's own storage is its bit and its creditor's listing, all
    /// else is read once a batch.
    function _settleAll(Batch memory batch, uint256 baseSequence, Payment[] calldata payments)
        private
        returns (uint256 spent)
    {
        address token = batch.token;
        address debtor = batch.debtor;
        uint256 leftToday = batch.leftToday;
        uint256 wordIndex = baseSequence >> 8;
        Word storage word = _settled[debtor][wordIndex];
        uint256 bits = word.bits;
        // Unchecked: sequences are bounded (SettlementRail_SequenceTooLarge), amounts are judged
        // before they are subtracted.
        unchecked {
            for (uint256 i = 0; i < payments.length; ++i) {
                Payment calldata payment = payments[i];
                (bytes32 ref, uint256 terms) = (payment.ref, payment.terms);
                (address creditor, uint256 amount) =
                    (address(uint160(terms >> 96)), uint64(terms >> 32));
                uint256 sequence = baseSequence + uint32(terms);
                // Nobody else writes this word during the batch (see the guard): its bits are read
                // once.
                if (sequence >> 8 != wordIndex) {
                    wordIndex = sequence >> 8;
                    word = _settled[debtor][wordIndex];
                    bits = word.bits;
                }
                uint256 bit = 1 << (sequence & 0xff);

                // Check: all at once for a good payment; why not, only for a bad one.
                Rejection code = Rejection.TokenRefused;
                if (!_isFine(batch, bits & bit, creditor, amount, leftToday)) {
                    code = _flaw(batch, bits & bit, creditor, amount);
                } else {
                    // Effect: settled before any token moves.
                    word.bits = bits | bit;
                    // Interaction: the debtor pays the creditor directly; this contract never holds
                    // a balance.
                    if (_pay(batch, creditor, amount)) {
                        bits |= bit;
                        leftToday -= amount;
                        emit Settled(debtor, sequence, ref, token, creditor, amount);
                        continue;
                    }
                    word.bits = bits;
                }
                emit Rejected(debtor, sequence, ref, token, creditor, amount, code);
            }
            return batch.leftToday - leftToday;
        }
    }

    /// @dev Whether a payment may be made. In assembly, because a payment passes here a hundred
    /// times and Solidity has no `and` of two bools without a jump.
    function _isFine(
        Batch memory batch,
        uint256 settledBit,
        address creditor,
        uint256 amount,
        uint256 leftToday
    ) private view returns (bool isFine) {
        bool isListed = _participants[creditor];
        uint256 capPerPayment = batch.capPerPayment;
        address debtor = batch.debtor;
        assembly ("memory-safe") {
            // Zero wraps round to more than any cap; caps are below 2^63, and zero when the whole
            // batch is refused.
            let isWithinCaps :=
                and(lt(sub(amount, 1), capPerPayment), iszero(gt(amount, leftToday)))
            let isTaken := or(settledBit, eq(creditor, debtor))
            isFine := and(and(isListed, isWithinCaps), iszero(isTaken))
        }
    }

    /// @dev Why a payment that is not fine must not be made; the first reason that applies.
    function _flaw(Batch memory batch, uint256 settledBit, address creditor, uint256 amount)
        private
        view
        returns (Rejection)
    {
        if (settledBit != 0) return Rejection.AlreadySettled;
        if (amount == 0 || amount >= AMOUNT_LIMIT) return Rejection.AmountInvalid;
        if (batch.refusal != Rejection.None) return batch.refusal;
        if (!_participants[creditor] || creditor == batch.debtor) {
            return Rejection.CreditorNotListed;
        }
        if (amount > batch.capPerPayment) return Rejection.OverPaymentCap;
        return Rejection.OverDayCap;
    }

    /// @dev Asks the token for one payment. True if it was made; if not, nothing has moved.
    function _pay(Batch memory batch, address creditor, uint256 amount) private returns (bool) {
        // Check: the token gets its full bound, so that a refusal is the token's and not the
        // sender's thrift.
        if (gasleft() < GAS_NEEDED) revert SettlementRail_GasTooLow(gasleft(), GAS_NEEDED);
        if (batch.isChecked) return _tryPayChecked(batch, creditor, amount);
        return TokenCall.transferFrom(batch.token, batch.debtor, creditor, amount, TOKEN_GAS);
    }

    /// @dev The self-call that can revert alone. True if the token moved exactly the amount.
    function _tryPayChecked(Batch memory batch, address creditor, uint256 amount)
        private
        returns (bool)
    {
        try this.payChecked{gas: TOKEN_GAS}(batch.token, batch.debtor, creditor, amount) {
            return true;
        } catch {
            return false;
        }
    }
}
