// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRailRegistry, TokenKind} from "../src/interfaces/IRailRegistry.sol";
import {ISettlementRail, Payment, Rejection} from "../src/interfaces/ISettlementRail.sol";
import {RailFixture} from "./base/RailFixture.sol";
import {BareToken} from "./tokens/BareToken.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

/// @title What a batch does, what stops it whole, and what rejects one payment of it
contract SettleTest is RailFixture {
    function test_aPaymentMovesItsAmountAndSaysSo() public {
        Payment[] memory batch = one(CREDITOR, 250_000);

        vm.expectEmit(true, true, true, true, address(rail));
        emit ISettlementRail.Settled(DEBTOR, 7, batch[0].ref, address(token), CREDITOR, 250_000);
        vm.prank(OPERATOR);
        rail.settle(address(token), DEBTOR, DEADLINE, 7, batch);

        equal("creditor", token.balanceOf(CREDITOR), 250_000);
        equal("debtor", token.balanceOf(DEBTOR), FUNDS - 250_000);
        isTrue("settled", rail.isSettled(DEBTOR, 7));
        isTrue("its neighbours are free", !rail.isSettled(DEBTOR, 6) && !rail.isSettled(DEBTOR, 8));
        isTrue("other debtors' are free", !rail.isSettled(CREDITOR, 7));
    }

    function test_aRejectedPaymentSaysWhyAndMovesNothing() public {
        Payment[] memory batch = one(STRANGER, 250_000);

        vm.expectEmit(true, true, true, true, address(rail));
        emit ISettlementRail.Rejected(
            DEBTOR, 7, batch[0].ref, address(token), STRANGER, 250_000, Rejection.CreditorNotListed
        );
        vm.prank(OPERATOR);
        rail.settle(address(token), DEBTOR, DEADLINE, 7, batch);

        equal("stranger", token.balanceOf(STRANGER), 0);
        isTrue("free", !rail.isSettled(DEBTOR, 7));
    }

    function test_aBatchPaysTheGoodAndRejectsTheBad() public {
        Payment[] memory batch = new Payment[](6);
        batch[0] = payment(CREDITOR, 100, 0);
        batch[1] = payment(STRANGER, 100, 1);
        batch[2] = payment(SECOND, 0, 2);
        batch[3] = payment(THIRD, CAP + 1, 3);
        batch[4] = payment(SECOND, 200, 0);
        batch[5] = payment(THIRD, CAP, 4);

        Rejection[] memory codes = settle(address(token), DEBTOR, 1, batch);

        same(codes[0], Rejection.None);
        same(codes[1], Rejection.CreditorNotListed);
        same(codes[2], Rejection.AmountInvalid);
        same(codes[3], Rejection.OverPaymentCap);
        same(codes[4], Rejection.AlreadySettled);
        same(codes[5], Rejection.None);
    }

    function test_aBatchOf250PaysEveryone() public {
        Payment[] memory batch = new Payment[](250);
        for (uint32 i = 0; i < 250; ++i) {
            batch[i] = payment(i % 2 == 0 ? CREDITOR : SECOND, 1 + i, i);
        }

        Rejection[] memory codes = settle(address(token), DEBTOR, 1000, batch);

        for (uint256 i = 0; i < 250; ++i) {
            same(codes[i], Rejection.None);
        }
    }

    // What stops the whole batch.

    function test_onlyAnOperatorSettles() public {
        vm.expectRevert(
            abi.encodeWithSelector(IRailRegistry.SettlementRail_NotOperator.selector, address(this))
        );
        rail.settle(address(token), DEBTOR, DEADLINE, 1, one(CREDITOR, 1));
    }

    function test_aFormerOperatorDoesNotSettle() public {
        rail.setOperator(OPERATOR, false);

        vm.prank(OPERATOR);
        vm.expectRevert(
            abi.encodeWithSelector(IRailRegistry.SettlementRail_NotOperator.selector, OPERATOR)
        );
        rail.settle(address(token), DEBTOR, DEADLINE, 1, one(CREDITOR, 1));
    }

    function test_aPausedRailSettlesNothing() public {
        rail.pause();

        vm.prank(OPERATOR);
        vm.expectRevert(Pausable.EnforcedPause.selector);
        rail.settle(address(token), DEBTOR, DEADLINE, 1, one(CREDITOR, 1));
    }

    function test_aBatchIsGoodUpToItsDeadlineAndNoSecondLonger() public {
        vm.prank(OPERATOR);
        rail.settle(address(token), DEBTOR, NOON, 1, one(CREDITOR, 1));
        vm.warp(NOON + 1);

        vm.prank(OPERATOR);
        vm.expectRevert(
            abi.encodeWithSelector(
                ISettlementRail.SettlementRail_PastDeadline.selector, NOON, NOON + 1
            )
        );
        rail.settle(address(token), DEBTOR, NOON, 2, one(CREDITOR, 1));
    }

    function test_anEmptyBatchIsRefused() public {
        vm.prank(OPERATOR);
        vm.expectRevert(ISettlementRail.SettlementRail_BatchEmpty.selector);
        rail.settle(address(token), DEBTOR, DEADLINE, 1, new Payment[](0));
    }

    function test_anUnlistedTokenIsRefused() public {
        rail.unlistToken(address(token));

        vm.prank(OPERATOR);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRailRegistry.SettlementRail_TokenNotListed.selector, address(token)
            )
        );
        rail.settle(address(token), DEBTOR, DEADLINE, 1, one(CREDITOR, 1));
    }

    function test_anExactTokenWithOtherCodeIsRefusedUntilListedAgain() public {
        vm.etch(address(token), address(new BareToken()).code);
        bytes32 codeHash = address(token).codehash;

        vm.prank(OPERATOR);
        vm.expectRevert(
            abi.encodeWithSelector(
                ISettlementRail.SettlementRail_TokenCodeChanged.selector, token, codeHash
            )
        );
        rail.settle(address(token), DEBTOR, DEADLINE, 1, one(CREDITOR, 1));

        open(address(token), TokenKind.Exact, DEBTOR);
        same(settleOne(address(token), CREDITOR, 1, 1), Rejection.None);
    }

    function test_sequencesAre64BitsWide() public {
        uint256 last = uint256(type(uint64).max) - type(uint32).max;
        Payment[] memory batch = new Payment[](1);
        batch[0] = payment(CREDITOR, 1, type(uint32).max);
        same(settle(address(token), DEBTOR, last, batch)[0], Rejection.None);
        isTrue("the last one is settled", rail.isSettled(DEBTOR, type(uint64).max));

        vm.prank(OPERATOR);
        vm.expectRevert(
            abi.encodeWithSelector(
                ISettlementRail.SettlementRail_SequenceTooLarge.selector, last + 1
            )
        );
        rail.settle(address(token), DEBTOR, DEADLINE, last + 1, batch);
    }

    function test_tooLittleGasForATokenCallStopsTheBatch() public {
        Payment[] memory batch = one(CREDITOR, 1);
        uint256 needed = rail.GAS_NEEDED();

        vm.prank(OPERATOR);
        (bool success, bytes memory answer) = address(rail).call{gas: needed + 10_000}(
            abi.encodeCall(rail.settle, (address(token), DEBTOR, DEADLINE, 1, batch))
        );

        isTrue("refused", !success);
        isTrue("says why", bytes4(answer) == ISettlementRail.SettlementRail_GasTooLow.selector);
        isTrue("nothing happened", !rail.isSettled(DEBTOR, 1));
        equal("nothing moved", token.balanceOf(CREDITOR), 0);
    }

    function test_theGasFloorGivesTheTokenItsFullBound() public view {
        // What is left after a call's own 64th has to be the bound at least, and enough to close.
        uint256 offered = rail.GAS_NEEDED() - rail.GAS_NEEDED() / 64;
        isTrue("full bound", offered >= rail.TOKEN_GAS() + 20_000);
    }

    // What rejects one payment; AlreadySettled is in ExactlyOnce.t.sol, TokenRefused in
    // OddTokens.t.sol.

    function test_aMissingMandateRejects() public {
        vm.prank(DEBTOR);
        rail.revokeMandate(address(token));

        same(settleOne(address(token), CREDITOR, 1, 1), Rejection.MandateMissing);
    }

    function test_aMandateIsGoodThroughItsExpiry() public {
        vm.prank(DEBTOR);
        rail.setMandate(address(token), CAP, DAY_CAP, uint64(NOON + 10));
        vm.warp(NOON + 10);
        same(settleOne(address(token), CREDITOR, 1, 1), Rejection.None);

        vm.warp(NOON + 11);
        same(settleOne(address(token), CREDITOR, 1, 2), Rejection.MandateExpired);
    }

    function test_theCapPerPaymentIsTheMostThatAPaymentMayBe() public {
        same(settleOne(address(token), CREDITOR, CAP + 1, 1), Rejection.OverPaymentCap);
        same(settleOne(address(token), CREDITOR, CAP, 2), Rejection.None);
    }

    function test_theCapPerDayCountsWithinABatchAndAcrossBatches() public {
        Payment[] memory batch = new Payment[](4);
        for (uint32 i = 0; i < 4; ++i) {
            batch[i] = payment(CREDITOR, CAP - (i == 0 ? 1 : 0), i);
        }
        Rejection[] memory codes = settle(address(token), DEBTOR, 1, batch);
        same(codes[2], Rejection.None);
        same(codes[3], Rejection.OverDayCap);

        same(settleOne(address(token), CREDITOR, 2, 50), Rejection.OverDayCap);
        same(settleOne(address(token), CREDITOR, 1, 51), Rejection.None);
        same(settleOne(address(token), CREDITOR, 1, 52), Rejection.OverDayCap);
    }

    function test_anUnlistedDebtorRejectsAndAListedOneDoesNot() public {
        rail.unlistParticipants(_list(DEBTOR));
        same(settleOne(address(token), CREDITOR, 1, 1), Rejection.DebtorNotListed);

        rail.listParticipants(_list(DEBTOR));
        same(settleOne(address(token), CREDITOR, 1, 1), Rejection.None);
    }

    function test_anUnlistedCreditorTheRailTheTokenAndTheDebtorItselfAreNoCreditors() public {
        rail.unlistParticipants(_list(SECOND));

        same(settleOne(address(token), SECOND, 1, 1), Rejection.CreditorNotListed);
        same(settleOne(address(token), address(rail), 1, 1), Rejection.CreditorNotListed);
        same(settleOne(address(token), address(token), 1, 1), Rejection.CreditorNotListed);
        same(settleOne(address(token), address(0), 1, 1), Rejection.CreditorNotListed);
        same(settleOne(address(token), DEBTOR, 1, 1), Rejection.CreditorNotListed);
    }

    function test_anAmountOfZeroOrOver63BitsIsInvalid() public {
        uint64 most = uint64(type(int64).max);
        vm.prank(DEBTOR);
        rail.setMandate(address(token), most, most, EXPIRY);

        same(settleOne(address(token), CREDITOR, 0, 1), Rejection.AmountInvalid);
        same(settleOne(address(token), CREDITOR, uint256(most) + 1, 1), Rejection.AmountInvalid);
        same(settleOne(address(token), CREDITOR, type(uint64).max, 1), Rejection.AmountInvalid);
        // Within the caps, but more than the debtor has.
        same(settleOne(address(token), CREDITOR, most, 1), Rejection.TokenRefused);
    }

    function test_theFirstReasonThatAppliesIsTold() public {
        same(settleOne(address(token), CREDITOR, CAP, 1), Rejection.None);
        vm.prank(DEBTOR);
        rail.setMandate(address(token), CAP, CAP, uint64(NOON));

        same(settleOne(address(token), STRANGER, CAP + 1, 2), Rejection.CreditorNotListed);
        same(settleOne(address(token), CREDITOR, CAP + 1, 2), Rejection.OverPaymentCap);
        same(settleOne(address(token), CREDITOR, CAP, 2), Rejection.OverDayCap);
        vm.warp(NOON + 1);
        same(settleOne(address(token), STRANGER, CAP + 1, 2), Rejection.MandateExpired);
        vm.prank(DEBTOR);
        rail.revokeMandate(address(token));
        same(settleOne(address(token), STRANGER, CAP + 1, 2), Rejection.MandateMissing);
        rail.unlistParticipants(_list(DEBTOR));
        same(settleOne(address(token), STRANGER, CAP + 1, 2), Rejection.DebtorNotListed);
        same(settleOne(address(token), STRANGER, 0, 2), Rejection.AmountInvalid);
        same(settleOne(address(token), STRANGER, 0, 1), Rejection.AlreadySettled);
    }

    function _list(address account) private pure returns (address[] memory accounts) {
        accounts = new address[](1);
        accounts[0] = account;
    }
}
