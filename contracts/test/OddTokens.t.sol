// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TokenKind} from "../src/interfaces/IRailRegistry.sol";
import {ISettlementRail, Payment, Rejection} from "../src/interfaces/ISettlementRail.sol";
import {RailFixture} from "./base/RailFixture.sol";
import {BareToken} from "./tokens/BareToken.sol";
import {FeeToken} from "./tokens/FeeToken.sol";
import {GasBurningToken} from "./tokens/GasBurningToken.sol";
import {
    AnsweringToken,
    BombToken,
    GenerousToken,
    LyingToken,
    ModestToken,
    MumblingToken,
    SurchargeToken
} from "./tokens/OddTokens.sol";
import {RefusingToken} from "./tokens/RefusingToken.sol";
import {SilentToken} from "./tokens/SilentToken.sol";
import {BeaconProxy} from "@openzeppelin/contracts/proxy/beacon/BeaconProxy.sol";
import {UpgradeableBeacon} from "@openzeppelin/contracts/proxy/beacon/UpgradeableBeacon.sol";

/// @title Tokens that do not behave, each in the kinds that it can be listed as
/// @dev {RailFixture.settle} checks every balance: a payment that did not move is never reported
/// settled.
contract OddTokensTest is RailFixture {
    function test_aTokenThatReturnsNothingIsPaid() public {
        for (uint8 kind = 1; kind <= 2; ++kind) {
            address odd = _listed(address(new SilentToken()), TokenKind(kind));

            same(settleOne(odd, CREDITOR, 10, kind), Rejection.None);
        }
    }

    function test_aTokenThatReturnsFalseAndMovesNothingIsRejected() public {
        for (uint8 kind = 1; kind <= 2; ++kind) {
            RefusingToken odd = new RefusingToken();
            odd.setRefused(CREDITOR);
            _listed(address(odd), TokenKind(kind));

            _onlyTheMiddleOneIsRefused(address(odd), kind);
        }
    }

    function test_aTokenThatMovesAndReturnsFalseIsUndoneWhenChecked() public {
        address odd = _listed(address(new ModestToken()), TokenKind.Checked);

        same(settleOne(odd, CREDITOR, 10, 1), Rejection.TokenRefused);
    }

    function test_aTokenThatMovesNothingAndReturnsTrueIsRejectedWhenChecked() public {
        address odd = _listed(address(new LyingToken()), TokenKind.Checked);

        same(settleOne(odd, CREDITOR, 10, 1), Rejection.TokenRefused);
    }

    function test_aTokenThatMovesMoreIsUndoneWhenChecked() public {
        address odd = _listed(address(new GenerousToken()), TokenKind.Checked);

        same(settleOne(odd, CREDITOR, 10, 1), Rejection.TokenRefused);
    }

    function test_aFeeOnTopForTheDebtorIsUndoneWhenChecked() public {
        address odd = _listed(address(new SurchargeToken()), TokenKind.Checked);

        same(settleOne(odd, CREDITOR, 10, 1), Rejection.TokenRefused);
        equal("no fee taken", BareToken(odd).balanceOf(address(0xFEE)), 0);
    }

    function test_aFeeOnTransferIsUndoneWhenCheckedAlsoIfSwitchedOnLater() public {
        FeeToken odd = new FeeToken();
        _listed(address(odd), TokenKind.Checked);
        same(settleOne(address(odd), CREDITOR, 10, 1), Rejection.None);

        odd.setFee(1);
        same(settleOne(address(odd), CREDITOR, 10, 2), Rejection.TokenRefused);

        odd.setFee(0);
        same(settleOne(address(odd), CREDITOR, 10, 2), Rejection.None);
    }

    function test_aProxiedTokenIsPaidAndRejectedOnceWhatIsBehindItTakesAFee() public {
        UpgradeableBeacon beacon = new UpgradeableBeacon(address(new BareToken()), address(this));
        address odd = _listed(address(new BeaconProxy(address(beacon), "")), TokenKind.Checked);
        same(settleOne(odd, CREDITOR, 10, 1), Rejection.None);

        // The proxy's own code, and so its hash, stays as it was.
        beacon.upgradeTo(address(new FeeToken()));
        FeeToken(odd).setFee(1);
        same(settleOne(odd, CREDITOR, 10, 2), Rejection.TokenRefused);
    }

    function test_theSelfCallSaysWhichTokenDidNotMoveExactly() public {
        address odd = _listed(address(new LyingToken()), TokenKind.Checked);

        vm.prank(address(rail));
        vm.expectRevert(
            abi.encodeWithSelector(ISettlementRail.SettlementRail_NotMovedExactly.selector, odd)
        );
        rail.payChecked(odd, DEBTOR, CREDITOR, 10);
    }

    function test_aTokenThatDoesNotTellWholeBalancesIsRejectedWhenChecked() public {
        MumblingToken odd = new MumblingToken();
        _listed(address(odd), TokenKind.Checked);
        // Of 256 units more, the first 31 bytes of a balance tell the whole difference.
        same(settleOne(address(odd), CREDITOR, 256, 1), Rejection.None);

        for (uint256 length = 0; length < 32; length += 31) {
            odd.setLength(length);
            vm.recordLogs();
            vm.prank(OPERATOR);
            rail.settle(address(odd), DEBTOR, DEADLINE, 2, one(CREDITOR, 256));

            Rejection[] memory codes = outcomes(address(odd), DEBTOR, 2, one(CREDITOR, 256));
            same(codes[0], Rejection.TokenRefused);
            isTrue("free", !rail.isSettled(DEBTOR, 2));
        }
    }

    function test_aCheckedTokenWhoseCodeIsGoneIsRejected() public {
        address odd = _listed(address(new BareToken()), TokenKind.Checked);
        vm.etch(odd, "");

        vm.recordLogs();
        vm.prank(OPERATOR);
        rail.settle(odd, DEBTOR, DEADLINE, 1, one(CREDITOR, 10));

        same(outcomes(odd, DEBTOR, 1, one(CREDITOR, 10))[0], Rejection.TokenRefused);
        isTrue("free", !rail.isSettled(DEBTOR, 1));
    }

    function test_aTokenThatBurnsAllItsGasStopsOnlyItsOwnPayment() public {
        for (uint8 kind = 1; kind <= 2; ++kind) {
            GasBurningToken odd = new GasBurningToken();
            odd.setVictim(CREDITOR);
            _listed(address(odd), TokenKind(kind));
            uint256 gasBefore = gasleft();

            _onlyTheMiddleOneIsRefused(address(odd), kind);

            isTrue("bounded", gasBefore - gasleft() < rail.TOKEN_GAS() + 600_000);
        }
    }

    function test_aHundredGasBurningPaymentsAreAHundredRejections() public {
        GasBurningToken odd = new GasBurningToken();
        odd.setVictim(CREDITOR);
        _listed(address(odd), TokenKind.Exact);
        Payment[] memory batch = new Payment[](101);
        for (uint32 i = 0; i < 100; ++i) {
            batch[i] = payment(CREDITOR, 1, i);
        }
        batch[100] = payment(SECOND, 1, 100);

        Rejection[] memory codes = settle(address(odd), DEBTOR, 1, batch);

        for (uint256 i = 0; i < 100; ++i) {
            same(codes[i], Rejection.TokenRefused);
        }
        same(codes[100], Rejection.None);
    }

    function test_aTokenThatAnswersWithMegabytesStopsOnlyItsOwnPayment() public {
        for (uint8 kind = 1; kind <= 2; ++kind) {
            for (uint8 isRevert = 0; isRevert <= 1; ++isRevert) {
                BombToken odd = new BombToken();
                _listed(address(odd), TokenKind(kind));

                // As much as the bound buys, and more than it buys.
                odd.arm(CREDITOR, 200_000, isRevert == 1);
                _onlyTheMiddleOneIsRefused(address(odd), 100 * kind + 10 * isRevert + 1);
                odd.arm(CREDITOR, 10_000_000, isRevert == 1);
                _onlyTheMiddleOneIsRefused(address(odd), 100 * kind + 10 * isRevert + 5);
            }
        }
    }

    function test_onlyNothingOrExactlyTrueIsAYes() public {
        AnsweringToken odd = new AnsweringToken();
        _listed(address(odd), TokenKind.Checked);

        odd.setAnswer(abi.encode(true));
        same(settleOne(address(odd), CREDITOR, 1, 1), Rejection.None);
        odd.setAnswer("");
        same(settleOne(address(odd), CREDITOR, 1, 2), Rejection.None);
        odd.setAnswer(bytes.concat(abi.encode(true), "and more"));
        same(settleOne(address(odd), CREDITOR, 1, 3), Rejection.None);
        odd.setAnswer(abi.encode(uint256(2)));
        same(settleOne(address(odd), CREDITOR, 1, 4), Rejection.TokenRefused);
        odd.setAnswer(hex"01");
        same(settleOne(address(odd), CREDITOR, 1, 5), Rejection.TokenRefused);
        odd.setAnswer(new bytes(31));
        same(settleOne(address(odd), CREDITOR, 1, 6), Rejection.TokenRefused);
    }

    function test_aShortAnswerIsNoYesForAnExactToken() public {
        BombToken odd = new BombToken();
        _listed(address(odd), TokenKind.Exact);

        for (uint256 size = 1; size < 32; ++size) {
            odd.arm(CREDITOR, size, false);
            same(settleOne(address(odd), CREDITOR, 1, size), Rejection.TokenRefused);
        }
    }

    function test_aFrozenCreditorIsRejectedInItsBatchAndPaidOnRetryWithTheSameSequence() public {
        token.freeze(CREDITOR);
        _onlyTheMiddleOneIsRefused(address(token), 1);

        token.unfreeze(CREDITOR);
        same(settleOne(address(token), CREDITOR, 10, 2), Rejection.None);
        same(settleOne(address(token), CREDITOR, 10, 2), Rejection.AlreadySettled);
    }

    function test_aFrozenDebtorAPausedTokenAndTooSmallAnAllowanceAreRejected() public {
        token.freeze(DEBTOR);
        same(settleOne(address(token), CREDITOR, 10, 1), Rejection.TokenRefused);
        token.unfreeze(DEBTOR);

        token.pause();
        same(settleOne(address(token), CREDITOR, 10, 1), Rejection.TokenRefused);
        token.unpause();

        vm.prank(DEBTOR);
        token.approve(address(rail), 9);
        same(settleOne(address(token), CREDITOR, 10, 1), Rejection.TokenRefused);
        same(settleOne(address(token), CREDITOR, 9, 1), Rejection.None);
    }

    function test_aRejectionByTheTokenLeavesTheDaysSumAsItWas() public {
        token.freeze(CREDITOR);
        (,,, uint64 before) = rail.mandateOf(DEBTOR, address(token));
        _onlyTheMiddleOneIsRefused(address(token), 1);

        (,,, uint64 left) = rail.mandateOf(DEBTOR, address(token));
        equal("left", left, before - 20);
    }

    /// @dev Pays three, 10 each, the middle one to CREDITOR, which must be refused by the token.
    function _onlyTheMiddleOneIsRefused(address odd, uint256 base) private {
        Payment[] memory batch = new Payment[](3);
        batch[0] = payment(SECOND, 10, 0);
        batch[1] = payment(CREDITOR, 10, 1);
        batch[2] = payment(THIRD, 10, 2);
        base *= 3;

        Rejection[] memory codes = settle(odd, DEBTOR, base, batch);

        same(codes[0], Rejection.None);
        same(codes[1], Rejection.TokenRefused);
        same(codes[2], Rejection.None);
    }

    function _listed(address odd, TokenKind kind) private returns (address) {
        open(odd, kind, DEBTOR);
        return odd;
    }
}
