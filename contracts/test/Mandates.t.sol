// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRailMandates} from "../src/interfaces/IRailMandates.sol";
import {IRailRegistry} from "../src/interfaces/IRailRegistry.sol";
import {Payment, Rejection} from "../src/interfaces/ISettlementRail.sol";
import {RailFixture} from "./base/RailFixture.sol";

/// @title What a mandate lets the rail take, and what it never does
contract MandatesTest is RailFixture {
    uint256 private constant DAY = 1 days;

    function test_settingAMandateSaysSoAndIsRead() public {
        vm.expectEmit(true, true, true, true, address(rail));
        emit IRailMandates.MandateSet(SECOND, address(token), 5, 6, 7 + uint64(NOON));
        vm.prank(SECOND);
        rail.setMandate(address(token), 5, 6, 7 + uint64(NOON));

        _isMandate(SECOND, 5, 6, 7 + uint64(NOON), 6);
    }

    function test_aMandateNeverSetReadsAsZero() public view {
        _isMandate(SECOND, 0, 0, 0, 0);
    }

    function test_revokingSaysSoAndReadsAsZero() public {
        vm.expectEmit(true, true, true, true, address(rail));
        emit IRailMandates.MandateRevoked(DEBTOR, address(token));
        vm.prank(DEBTOR);
        rail.revokeMandate(address(token));

        _isMandate(DEBTOR, 0, 0, 0, 0);
    }

    function test_anExpiredMandateLeavesNothing() public {
        vm.warp(EXPIRY);
        _isMandate(DEBTOR, CAP, DAY_CAP, EXPIRY, DAY_CAP);
        vm.warp(uint256(EXPIRY) + 1);
        _isMandate(DEBTOR, CAP, DAY_CAP, EXPIRY, 0);
    }

    function test_aMandateForAnUnlistedTokenIsRefused() public {
        vm.expectRevert(
            abi.encodeWithSelector(IRailRegistry.SettlementRail_TokenNotListed.selector, STRANGER)
        );
        rail.setMandate(STRANGER, CAP, DAY_CAP, EXPIRY);
    }

    function test_capsOfZeroOrOver63BitsAreRefused() public {
        uint64 most = uint64(type(int64).max);
        _refusesCaps(0, 1);
        _refusesCaps(1, 0);
        _refusesCaps(most + 1, most);
        _refusesCaps(most, most + 1);
        rail.setMandate(address(token), most, most, EXPIRY);
    }

    function test_anExpiryInThePastOrTooFarIsRefused() public {
        _refusesExpiry(uint64(NOON) - 1);
        _refusesExpiry(uint64(type(uint40).max) + 1);
        _refusesExpiry(type(uint64).max);
        rail.setMandate(address(token), 1, 1, uint64(NOON));
        rail.setMandate(address(token), 1, 1, type(uint40).max);
    }

    function test_setAgainDoesNotResetTheDaysSum() public {
        same(settleOne(address(token), CREDITOR, CAP, 1), Rejection.None);

        vm.prank(DEBTOR);
        rail.setMandate(address(token), CAP, DAY_CAP, EXPIRY);

        _isMandate(DEBTOR, CAP, DAY_CAP, EXPIRY, DAY_CAP - CAP);
    }

    function test_revokedAndSetAgainDoesNotResetTheDaysSum() public {
        same(settleOne(address(token), CREDITOR, CAP, 1), Rejection.None);

        vm.prank(DEBTOR);
        rail.revokeMandate(address(token));
        vm.prank(DEBTOR);
        rail.setMandate(address(token), CAP, DAY_CAP, EXPIRY);

        _isMandate(DEBTOR, CAP, DAY_CAP, EXPIRY, DAY_CAP - CAP);
    }

    function test_loweredBelowTheDaysSumLeavesNothingAndRaisedLeavesTheRest() public {
        same(settleOne(address(token), CREDITOR, 100, 1), Rejection.None);

        vm.prank(DEBTOR);
        rail.setMandate(address(token), 50, 50, EXPIRY);
        _isMandate(DEBTOR, 50, 50, EXPIRY, 0);
        same(settleOne(address(token), CREDITOR, 1, 2), Rejection.OverDayCap);

        vm.prank(DEBTOR);
        rail.setMandate(address(token), 50, 130, EXPIRY);
        same(settleOne(address(token), CREDITOR, 31, 2), Rejection.OverDayCap);
        same(settleOne(address(token), CREDITOR, 30, 2), Rejection.None);
    }

    function test_theDayTurnsAtMidnightUtcOfChainTime() public {
        uint256 midnight = NOON - NOON % DAY + DAY;
        vm.warp(midnight - 1);
        for (uint256 i = 0; i < 3; ++i) {
            same(settleOne(address(token), CREDITOR, CAP, i), Rejection.None);
        }
        same(settleOne(address(token), CREDITOR, 1, 9), Rejection.OverDayCap);
        _isMandate(DEBTOR, CAP, DAY_CAP, EXPIRY, 0);

        vm.warp(midnight);
        _isMandate(DEBTOR, CAP, DAY_CAP, EXPIRY, DAY_CAP);
        same(settleOne(address(token), CREDITOR, 1, 9), Rejection.None);
        _isMandate(DEBTOR, CAP, DAY_CAP, EXPIRY, DAY_CAP - 1);
    }

    function test_mandatesOfTokensAndDebtorsAreApart() public {
        address other = address(newToken(address(this)));
        rail.listToken(other, rail.tokenKind(address(token)));
        fund(other, DEBTOR);
        fund(address(token), SECOND);

        same(settleOne(address(token), CREDITOR, CAP, 1), Rejection.None);

        (,,, uint64 leftOfOther) = rail.mandateOf(DEBTOR, other);
        equal("other token", leftOfOther, DAY_CAP);
        _isMandate(SECOND, CAP, DAY_CAP, EXPIRY, DAY_CAP);
    }

    /// @dev A stolen operator key: any batches, any amounts and creditors, over three days, with
    /// the debtor setting the same mandate again in between. In no day more than the cap leaves, in
    /// no 24 hours more than twice, in all never more than the allowance, and only to listed
    /// creditors.
    function testFuzz_aStolenOperatorKeyIsBounded(uint256 seed, uint64 dayCap, uint64 allowance)
        public
    {
        dayCap = 1 + dayCap % 5_000;
        vm.prank(DEBTOR);
        token.approve(address(rail), allowance % 20_000);
        uint256[72] memory perHour;
        for (uint256 hour = 0; hour < 72; hour += 3) {
            vm.warp(NOON + hour * 1 hours);
            uint256 dice = uint256(keccak256(abi.encode(seed, hour)));
            vm.prank(DEBTOR);
            if (dice % 5 == 0) rail.revokeMandate(address(token));
            else rail.setMandate(address(token), dayCap, dayCap, EXPIRY);
            perHour[hour] = _takeWhatOneCan(dice, hour, dayCap);
        }

        _isBounded(perHour, dayCap, allowance % 20_000);
        equal("strangers get nothing", token.balanceOf(STRANGER), 0);
    }

    function _takeWhatOneCan(uint256 dice, uint256 hour, uint64 dayCap)
        private
        returns (uint256 taken)
    {
        Payment[] memory batch = new Payment[](4);
        batch[0] = payment(CREDITOR, 1 + dice % dayCap, 0);
        batch[1] = payment(STRANGER, 1 + dice % dayCap, 1);
        batch[2] = payment(SECOND, 1 + (dice >> 64) % dayCap, 2);
        batch[3] = payment(THIRD, 1 + (dice >> 128) % dayCap, 3);
        uint256 before = token.balanceOf(DEBTOR);
        settle(address(token), DEBTOR, hour * 10, batch);
        return before - token.balanceOf(DEBTOR);
    }

    function _isBounded(uint256[72] memory perHour, uint256 dayCap, uint256 allowance)
        private
        pure
    {
        uint256 total;
        for (uint256 from = 0; from < 72; ++from) {
            total += perHour[from];
            uint256 inDay;
            uint256 in24Hours;
            for (uint256 hour = from; hour < 72 && hour < from + 24; ++hour) {
                in24Hours += perHour[hour];
                // The first hour is noon.
                if ((hour + 12) / 24 == (from + 12) / 24) inDay += perHour[hour];
            }
            isTrue("a day's cap", inDay <= dayCap);
            isTrue("twice in 24 hours", in24Hours <= 2 * dayCap);
        }
        isTrue("the allowance", total <= allowance);
    }

    function _isMandate(
        address debtor,
        uint64 perPayment,
        uint64 perDay,
        uint64 expiry,
        uint64 left
    ) private view {
        (uint64 a, uint64 b, uint64 c, uint64 d) = rail.mandateOf(debtor, address(token));
        equal("cap per payment", a, perPayment);
        equal("cap per day", b, perDay);
        equal("expiry", c, expiry);
        equal("left today", d, left);
    }

    function _refusesCaps(uint64 perPayment, uint64 perDay) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRailMandates.SettlementRail_CapInvalid.selector, perPayment, perDay
            )
        );
        rail.setMandate(address(token), perPayment, perDay, EXPIRY);
    }

    function _refusesExpiry(uint64 expiry) private {
        vm.expectRevert(
            abi.encodeWithSelector(IRailMandates.SettlementRail_ExpiryInvalid.selector, expiry)
        );
        rail.setMandate(address(token), 1, 1, expiry);
    }
}
