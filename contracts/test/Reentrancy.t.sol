// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TokenKind} from "../src/interfaces/IRailRegistry.sol";
import {ISettlementRail, Payment, Rejection} from "../src/interfaces/ISettlementRail.sol";
import {RailFixture} from "./base/RailFixture.sol";
import {ReenteringToken} from "./tokens/OddTokens.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title A token that calls back into the rail while it is asked to pay
contract ReentrancyTest is RailFixture {
    bytes4 private constant REENTRANT =
        ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;

    ReenteringToken private odd;

    function setUp() public override {
        super.setUp();
        odd = new ReenteringToken();
        open(address(odd), TokenKind.Exact, DEBTOR);
        // The worst case: the token itself is an operator, and a debtor.
        rail.setOperator(address(odd), true);
    }

    function test_aBatchWithinABatchIsRefused() public {
        Payment[] memory inner = one(SECOND, 10);
        _callBack(
            abi.encodeCall(rail.settle, (address(odd), DEBTOR, DEADLINE, 8, inner)), REENTRANT
        );

        isTrue("the inner one is free", !rail.isSettled(DEBTOR, 8));
    }

    function test_theSamePaymentWithinItselfIsRefused() public {
        Payment[] memory inner = one(CREDITOR, 10);
        _callBack(
            abi.encodeCall(rail.settle, (address(odd), DEBTOR, DEADLINE, 1, inner)), REENTRANT
        );

        equal("paid once", odd.balanceOf(CREDITOR), 10);
    }

    function test_aMandateIsNotSetWithinABatch() public {
        _callBack(abi.encodeCall(rail.setMandate, (address(odd), CAP, DAY_CAP, EXPIRY)), REENTRANT);
    }

    function test_aMandateIsNotRevokedWithinABatch() public {
        _callBack(abi.encodeCall(rail.revokeMandate, (address(odd))), REENTRANT);
    }

    function test_nobodyButTheRailReachesItsSelfCall() public {
        _callBack(
            abi.encodeCall(rail.payChecked, (address(odd), DEBTOR, CREDITOR, 10)),
            ISettlementRail.SettlementRail_NotSelf.selector
        );

        vm.prank(OPERATOR);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlementRail.SettlementRail_NotSelf.selector, OPERATOR)
        );
        rail.payChecked(address(odd), DEBTOR, CREDITOR, 10);
    }

    function test_thePaymentIsSettledAlreadyWhenTheTokenIsCalled() public {
        odd.setCall(address(rail), abi.encodeCall(rail.isSettled, (DEBTOR, 1)));

        same(settleOne(address(odd), CREDITOR, 10, 1), Rejection.None);

        isTrue("bit set before the call", abi.decode(odd.answer(), (bool)));
    }

    function test_theGuardOpensAgainAfterABatch() public {
        same(settleOne(address(odd), CREDITOR, 10, 1), Rejection.None);
        same(settleOne(address(odd), CREDITOR, 10, 2), Rejection.None);
        vm.prank(DEBTOR);
        rail.revokeMandate(address(odd));
    }

    /// @dev Settles while the token makes `call`, which must fail with `reason`.
    function _callBack(bytes memory call, bytes4 reason) private {
        odd.setCall(address(rail), call);
        same(settleOne(address(odd), CREDITOR, 10, 1), Rejection.None);
        isTrue("called back", odd.called());
        isTrue("in vain", !odd.succeeded());
        isTrue("for this reason", bytes4(odd.answer()) == reason);
    }
}
