// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TokenKind} from "../src/interfaces/IRailRegistry.sol";
import {Payment, Rejection} from "../src/interfaces/ISettlementRail.sol";
import {IRail, IToken} from "./base/Deployed.sol";
import {RailFixture} from "./base/RailFixture.sol";
import {FeeToken} from "./tokens/FeeToken.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title Everybody who can touch a rail, acting at random, and a plain record of what was paid
/// @dev The record is kept from events alone; the invariants compare it with balances and bits.
contract Crowd is RailFixture {
    FeeToken internal odd;
    /// @dev Times that a (debtor, sequence) was reported settled.
    mapping(address debtor => mapping(uint256 sequence => uint256 times)) public paidTimes;
    mapping(address asset => mapping(address account => uint256)) public paidOut;
    mapping(address asset => mapping(address account => uint256)) public received;
    mapping(address asset => mapping(address debtor => mapping(uint256 day => uint256))) public
        takenOnDay;
    mapping(address asset => mapping(address debtor => mapping(uint256 day => uint256))) public
        highestCap;
    uint256 public settledCount;
    uint256 public rejectedCount;
    uint256 private clock;

    constructor() {
        clock = NOON;
        setUp();
        odd = new FeeToken();
        open(address(odd), TokenKind.Checked, DEBTOR);
        fund(address(token), SECOND);
        fund(address(odd), SECOND);
        address[2] memory debtors = [DEBTOR, SECOND];
        for (uint256 i = 0; i < 2; ++i) {
            highestCap[address(token)][debtors[i]][_day()] = DAY_CAP;
            highestCap[address(odd)][debtors[i]][_day()] = DAY_CAP;
        }
    }

    function theRail() external view returns (IRail) {
        return rail;
    }

    function assets() public view returns (address[2] memory) {
        return [address(token), address(odd)];
    }

    // What the crowd does.

    function settleSome(uint256 dice) external {
        vm.warp(clock);
        address asset = assets()[dice % 2];
        address debtor = (dice >> 8) % 2 == 0 ? DEBTOR : SECOND;
        Payment[] memory batch = new Payment[](1 + (dice >> 16) % 6);
        for (uint256 i = 0; i < batch.length; ++i) {
            dice = uint256(keccak256(abi.encode(dice)));
            address[5] memory creditors = [CREDITOR, THIRD, STRANGER, DEBTOR, address(rail)];
            batch[i] =
                payment(creditors[(dice >> 8) % 5], dice % (CAP + 2), uint32((dice >> 64) % 40));
        }

        // Settles through the fixture, which checks every balance and bit of this batch.
        Rejection[] memory codes = settle(asset, debtor, 240, batch);

        for (uint256 i = 0; i < batch.length; ++i) {
            _record(asset, debtor, batch[i], codes[i]);
        }
    }

    function setMandate(uint256 dice) external {
        vm.warp(clock);
        address asset = assets()[dice % 2];
        address debtor = (dice >> 8) % 2 == 0 ? DEBTOR : SECOND;
        uint64 cap = uint64(1 + (dice >> 16) % (2 * DAY_CAP));
        uint64 lasts = uint64((dice >> 96) % 3 days);
        vm.prank(debtor);
        rail.setMandate(asset, cap, cap, uint64(clock) + lasts);
        _raiseCap(asset, debtor, cap);
    }

    function revokeMandate(uint256 dice) external {
        vm.prank((dice >> 8) % 2 == 0 ? DEBTOR : SECOND);
        rail.revokeMandate(assets()[dice % 2]);
    }

    function turnTokens(uint256 dice) external {
        if (dice % 3 == 0) odd.setFee((dice >> 8) % 2);
        if (dice % 3 == 1) token.freeze(CREDITOR);
        if (dice % 3 == 2) token.unfreeze(CREDITOR);
    }

    function turnParticipants(uint256 dice) external {
        address[] memory people = new address[](1);
        people[0] = dice % 2 == 0 ? THIRD : SECOND;
        if ((dice >> 8) % 3 == 0) rail.unlistParticipants(people);
        else rail.listParticipants(people);
    }

    function letTimePass(uint256 dice) external {
        // Up to 16 hours: days turn often, and mandates expire.
        clock += dice % 16 hours;
        vm.warp(clock);
        for (uint256 i = 0; i < 4; ++i) {
            address asset = assets()[i % 2];
            address debtor = i / 2 == 0 ? DEBTOR : SECOND;
            (, uint64 cap,,) = rail.mandateOf(debtor, asset);
            _raiseCap(asset, debtor, cap);
        }
    }

    function _record(address asset, address debtor, Payment memory paid, Rejection code) private {
        if (code != Rejection.None) {
            ++rejectedCount;
            return;
        }
        ++settledCount;
        ++paidTimes[debtor][240 + uint32(paid.terms)];
        paidOut[asset][debtor] += amountOf(paid);
        received[asset][creditorOf(paid)] += amountOf(paid);
        takenOnDay[asset][debtor][_day()] += amountOf(paid);
    }

    function _raiseCap(address asset, address debtor, uint256 cap) private {
        uint256 highest = highestCap[asset][debtor][_day()];
        if (cap > highest) highestCap[asset][debtor][_day()] = cap;
    }

    function _day() private view returns (uint256) {
        return clock / 1 days;
    }

    function today() external view returns (uint256) {
        return _day();
    }
}

/// @title What holds whatever the crowd does
contract InvariantsTest is RailFixture {
    Crowd private crowd;

    function setUp() public override {
        crowd = new Crowd();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(crowd);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](8);
        // Settling thrice as often as anything else.
        for (uint256 i = 0; i < 3; ++i) {
            selectors[i] = Crowd.settleSome.selector;
        }
        selectors[3] = Crowd.setMandate.selector;
        selectors[4] = Crowd.revokeMandate.selector;
        selectors[5] = Crowd.turnTokens.selector;
        selectors[6] = Crowd.turnParticipants.selector;
        selectors[7] = Crowd.letTimePass.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(crowd), selectors);
    }

    /// @dev Guards the guards: a crowd that paid or refused nobody would prove nothing.
    function test_theCrowdIsPaidAndRefused() public {
        for (uint256 i = 0; i < 200; ++i) {
            uint256 dice = uint256(keccak256(abi.encode("crowd", i)));
            crowd.settleSome(dice);
            if (i % 4 == 0) crowd.letTimePass(dice);
            if (i % 4 == 1) crowd.setMandate(dice);
            if (i % 4 == 2) crowd.turnTokens(dice);
            if (i % 4 == 3) crowd.turnParticipants(dice);
        }
        isTrue("paid", crowd.settledCount() > 40);
        isTrue("refused", crowd.rejectedCount() > 200);
    }

    function invariant_aSequenceIsPaidAtMostOnceAndItsBitSaysSo() public view {
        address[2] memory debtors = [DEBTOR, SECOND];
        for (uint256 i = 0; i < 2; ++i) {
            for (uint256 sequence = 230; sequence < 290; ++sequence) {
                uint256 times = crowd.paidTimes(debtors[i], sequence);
                isTrue("once", times <= 1);
                isTrue("bit", crowd.theRail().isSettled(debtors[i], sequence) == (times == 1));
            }
        }
    }

    function invariant_theRailHoldsNothing() public view {
        for (uint256 i = 0; i < 2; ++i) {
            equal("held", IERC20(crowd.assets()[i]).balanceOf(address(crowd.theRail())), 0);
        }
    }

    function invariant_settledIsMoved() public view {
        address[4] memory everybody = [DEBTOR, SECOND, CREDITOR, THIRD];
        for (uint256 i = 0; i < 2; ++i) {
            address asset = crowd.assets()[i];
            for (uint256 j = 0; j < 4; ++j) {
                uint256 start = j < 2 ? FUNDS : 0;
                equal(
                    "balance",
                    IERC20(asset).balanceOf(everybody[j]),
                    start + crowd.received(asset, everybody[j]) - crowd.paidOut(asset, everybody[j])
                );
            }
            equal("strangers get nothing", IERC20(asset).balanceOf(STRANGER), 0);
        }
    }

    function invariant_aDayTakesAtMostItsHighestCap() public view {
        for (uint256 day = NOON / 1 days; day <= crowd.today(); ++day) {
            for (uint256 i = 0; i < 2; ++i) {
                address asset = crowd.assets()[i];
                _isWithinCap(asset, DEBTOR, day);
                _isWithinCap(asset, SECOND, day);
            }
        }
    }

    function _isWithinCap(address asset, address debtor, uint256 day) private view {
        uint256 taken = crowd.takenOnDay(asset, debtor, day);
        isTrue("within the cap", taken <= crowd.highestCap(asset, debtor, day));
    }
}
