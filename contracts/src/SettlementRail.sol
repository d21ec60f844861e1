// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {RailRegistry} from "./RailRegistry.sol";
import {TokenKind} from "./interfaces/IRailRegistry.sol";
import {ISettlementRail, Payment, Rejection} from "./interfaces/ISettlementRail.sol";
import {TokenCall} from "./libraries/TokenCall.sol";

/// @title SettlementRail
/// @notice See {ISettlementRail} and {IRailRegistry}.
contract SettlementRail is ISettlementRail, RailRegistry, ReentrancyGuardTransient {
    /// @dev One slot. `spent` is what was taken on `day` (chain time); it outlives a revocation and a new mandate.
    struct Mandate {
        uint64 capPerPayment;
        uint64 capPerDay;
        uint64 spent;
        uint40 expiry;
        uint24 day;
    }

    /// @dev What a batch knows while it runs, in memory. `refusal` is what rejects every payment of it, if anything does;
    /// `wordIndex` and `word` are the bitmap word that was last read.
    struct Batch {
        address token;
        address debtor;
        bool isChecked;
        Rejection refusal;
        uint256 capPerPayment;
        uint256 leftToday;
        uint256 wordIndex;
        uint256 word;
    }

    /// @notice The gas that one token call may use.
    uint256 public constant TOKEN_GAS = 150_000;

    /// @notice The gas that has to be left before a token call: TOKEN_GAS, the 64th that a call leaves behind (EIP-150;
    /// twice for the self-call of a checked token), and what closing the batch takes.
    uint256 public constant GAS_NEEDED = 180_000;

    uint256 private constant AMOUNT_LIMIT = 1 << 63;

    mapping(address debtor => mapping(uint256 wordIndex => uint256 word)) private _settled;
    mapping(address debtor => mapping(address token => Mandate)) private _mandates;

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
        if (block.timestamp > deadline) revert SettlementRail_PastDeadline(deadline, block.timestamp);
        if (payments.length == 0) revert SettlementRail_BatchEmpty();
        if (baseSequence > type(uint64).max - type(uint32).max) revert SettlementRail_SequenceTooLarge(baseSequence);

        Batch memory batch = _open(token, debtor, baseSequence);
        uint256 leftBefore = batch.leftToday;
        for (uint256 i = 0; i < payments.length; ++i) {
            _settleOne(batch, baseSequence, payments[i]);
        }
        // Effect: the day's sum, once for the batch. Nothing can read it in between but {mandateOf}: see the guard.
        if (batch.leftToday != leftBefore) _spend(debtor, token, leftBefore - batch.leftToday);
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
            // Wrapping is harmless: `amount` is below 2^63, and only an exact move gives exactly `amount` twice.
            bool moved = debtorBefore - debtorAfter == amount && creditorAfter - creditorBefore == amount;
            if (!answered || !agreed || !moved) revert SettlementRail_NotMovedExactly(token);
        }
    }

    /// @inheritdoc ISettlementRail
    function setMandate(address token, uint64 capPerPayment, uint64 capPerDay, uint64 expiry) external nonReentrant {
        if (_listings[token].kind == TokenKind.None) revert SettlementRail_TokenNotListed(token);
        bool capsValid = capPerPayment != 0 && capPerPayment < AMOUNT_LIMIT && capPerDay != 0 && capPerDay < AMOUNT_LIMIT;
        if (!capsValid) revert SettlementRail_CapInvalid(capPerPayment, capPerDay);
        if (expiry < block.timestamp || expiry > type(uint40).max) revert SettlementRail_ExpiryInvalid(expiry);

        Mandate storage mandate = _mandates[msg.sender][token];
        mandate.capPerPayment = capPerPayment;
        mandate.capPerDay = capPerDay;
        mandate.expiry = uint40(expiry);
        emit MandateSet(msg.sender, token, capPerPayment, capPerDay, expiry);
    }

    /// @inheritdoc ISettlementRail
    function revokeMandate(address token) external nonReentrant {
        Mandate storage mandate = _mandates[msg.sender][token];
        mandate.capPerPayment = 0;
        mandate.capPerDay = 0;
        mandate.expiry = 0;
        emit MandateRevoked(msg.sender, token);
    }

    /// @inheritdoc ISettlementRail
    function mandateOf(address debtor, address token)
        external
        view
        returns (uint64 capPerPayment, uint64 capPerDay, uint64 expiry, uint64 leftToday)
    {
        Mandate memory mandate = _mandates[debtor][token];
        leftToday = block.timestamp > mandate.expiry ? 0 : uint64(_leftToday(mandate));
        return (mandate.capPerPayment, mandate.capPerDay, mandate.expiry, leftToday);
    }

    /// @inheritdoc ISettlementRail
    function isSettled(address debtor, uint256 sequence) external view returns (bool) {
        return _settled[debtor][sequence >> 8] & (1 << (sequence & 0xff)) != 0;
    }

    /// @dev Reads once what holds for every payment of the batch. Reverts if the token cannot be settled in.
    function _open(address token, address debtor, uint256 baseSequence) private view returns (Batch memory batch) {
        Listing memory listing = _listings[token];
        if (listing.kind == TokenKind.None) revert SettlementRail_TokenNotListed(token);
        if (listing.kind == TokenKind.Exact && bytes31(token.codehash) != listing.codeHash) {
            revert SettlementRail_TokenCodeChanged(token, token.codehash);
        }

        Mandate memory mandate = _mandates[debtor][token];
        batch.token = token;
        batch.debtor = debtor;
        batch.isChecked = listing.kind == TokenKind.Checked;
        batch.capPerPayment = mandate.capPerPayment;
        batch.leftToday = _leftToday(mandate);
        batch.wordIndex = baseSequence >> 8;
        batch.word = _settled[debtor][batch.wordIndex];
        if (!_participants[debtor]) batch.refusal = Rejection.DebtorNotListed;
        else if (mandate.capPerDay == 0) batch.refusal = Rejection.MandateMissing;
        else if (block.timestamp > mandate.expiry) batch.refusal = Rejection.MandateExpired;
    }

    /// @dev Makes or rejects one payment, and says so in exactly one event.
    function _settleOne(Batch memory batch, uint256 baseSequence, Payment calldata payment) private {
        uint256 terms = payment.terms;
        address creditor = address(uint160(terms >> 96));
        uint256 amount = uint64(terms >> 32);
        uint256 sequence;
        unchecked {
            // Both are bounded: see SettlementRail_SequenceTooLarge.
            sequence = baseSequence + uint32(terms);
        }

        Rejection code = _judge(batch, sequence, creditor, amount);
        if (code == Rejection.None) code = _pay(batch, sequence, creditor, amount);

        if (code == Rejection.None) {
            emit Settled(batch.debtor, sequence, payment.ref, batch.token, creditor, amount);
        } else {
            emit Rejected(batch.debtor, sequence, payment.ref, batch.token, creditor, amount, code);
        }
    }

    /// @dev Check: why this payment must not be made, or None. Leaves the sequence's bitmap word in `batch`.
    function _judge(Batch memory batch, uint256 sequence, address creditor, uint256 amount)
        private
        view
        returns (Rejection)
    {
        if (sequence >> 8 != batch.wordIndex) {
            batch.wordIndex = sequence >> 8;
            batch.word = _settled[batch.debtor][batch.wordIndex];
        }
        if (batch.word & (1 << (sequence & 0xff)) != 0) return Rejection.AlreadySettled;
        if (amount == 0 || amount >= AMOUNT_LIMIT) return Rejection.AmountInvalid;
        if (batch.refusal != Rejection.None) return batch.refusal;
        if (!_participants[creditor] || creditor == batch.debtor) return Rejection.CreditorNotListed;
        if (amount > batch.capPerPayment) return Rejection.OverPaymentCap;
        if (amount > batch.leftToday) return Rejection.OverDayCap;
        return Rejection.None;
    }

    /// @dev Pays, or leaves everything as it was and says TokenRefused.
    function _pay(Batch memory batch, uint256 sequence, address creditor, uint256 amount) private returns (Rejection) {
        // Check: the token gets its full bound, so that a refusal is the token's and not the sender's thrift.
        if (gasleft() < GAS_NEEDED) revert SettlementRail_GasTooLow(gasleft(), GAS_NEEDED);

        // Effect: settled before any token moves.
        uint256 wordBefore = batch.word;
        uint256 word = wordBefore | (1 << (sequence & 0xff));
        _settled[batch.debtor][batch.wordIndex] = word;

        // Interaction: the debtor pays the creditor directly; this contract never holds a balance.
        bool paid = batch.isChecked
            ? _tryPayChecked(batch, creditor, amount)
            : TokenCall.transferFrom(batch.token, batch.debtor, creditor, amount, TOKEN_GAS);

        if (!paid) {
            _settled[batch.debtor][batch.wordIndex] = wordBefore;
            return Rejection.TokenRefused;
        }
        batch.word = word;
        unchecked {
            // Judged before: the amount is within what is left.
            batch.leftToday -= amount;
        }
        return Rejection.None;
    }

    /// @dev The self-call that can revert alone. True if the token moved exactly the amount.
    function _tryPayChecked(Batch memory batch, address creditor, uint256 amount) private returns (bool) {
        try this.payChecked{gas: TOKEN_GAS}(batch.token, batch.debtor, creditor, amount) {
            return true;
        } catch {
            return false;
        }
    }

    /// @dev Adds `amount` to what was taken from the debtor today.
    function _spend(address debtor, address token, uint256 amount) private {
        Mandate storage mandate = _mandates[debtor][token];
        uint24 today = _today();
        uint256 spent = mandate.day == today ? mandate.spent : 0;
        // Never over 64 bits: what is spent on a day never passes a cap, and caps are below 2^63.
        mandate.spent = uint64(spent + amount);
        mandate.day = today;
    }

    /// @dev What the mandate leaves for today, whether or not it has expired.
    function _leftToday(Mandate memory mandate) private view returns (uint256) {
        uint256 spent = mandate.day == _today() ? mandate.spent : 0;
        return mandate.capPerDay > spent ? mandate.capPerDay - spent : 0;
    }

    /// @dev Days since 1970 by the block's time: 24 bits last for 45,000 years.
    function _today() private view returns (uint24) {
        return uint24(block.timestamp / 1 days);
    }
}
