// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TokenKind} from "../../src/interfaces/IRailRegistry.sol";
import {ISettlementRail, Payment, Rejection} from "../../src/interfaces/ISettlementRail.sol";
import {IRail, IToken} from "./Deployed.sol";
import {TestBase, Vm} from "./Vm.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

interface IMintable is IERC20 {
    function mint(address account, uint256 amount) external;
}

/// @title A rail with its people, a token, and one way to settle that checks every consequence
/// @dev This contract is the rail's owner and the token's admin.
abstract contract RailFixture is TestBase {
    address internal constant OPERATOR = address(0x0991);
    address internal constant DEBTOR = address(0xDEB7);
    address internal constant CREDITOR = address(0xC2ED1);
    address internal constant SECOND = address(0xC2ED2);
    address internal constant THIRD = address(0xC2ED3);
    address internal constant STRANGER = address(0x57A4);

    uint64 internal constant CAP = 1_000_000;
    uint64 internal constant DAY_CAP = 3_000_000;
    uint64 internal constant EXPIRY = 2_000_000_000;
    uint256 internal constant DEADLINE = 1_900_000_000;
    uint256 internal constant FUNDS = 1e15;
    /// @dev 20 November 2026, 12:00 UTC.
    uint256 internal constant NOON = 1_795_176_000;

    /// @dev What a batch found: what everybody held, and which of its sequences were settled.
    struct Before {
        uint256 debtorHeld;
        uint256[] held;
        bool[] settled;
    }

    IRail internal rail;
    IToken internal token;

    function setUp() public virtual {
        vm.warp(NOON);
        rail = newRail(address(this));
        rail.setOperator(OPERATOR, true);
        address[] memory people = new address[](4);
        (people[0], people[1], people[2], people[3]) = (DEBTOR, CREDITOR, SECOND, THIRD);
        rail.listParticipants(people);
        token = newToken(address(this));
        open(address(token), TokenKind.Exact, DEBTOR);
    }

    function newRail(address owner) internal returns (IRail) {
        return IRail(vm.deployCode("SettlementRail.sol:SettlementRail", abi.encode(owner)));
    }

    function newToken(address admin) internal returns (IToken) {
        bytes memory names = abi.encode("Test dollar", "TUSD", admin);
        return IToken(vm.deployCode("SettlementToken.sol:SettlementToken", names));
    }

    /// @dev Lists `listed`, funds `debtor` and sets its mandate and allowance.
    function open(address listed, TokenKind kind, address debtor) internal {
        rail.listToken(listed, kind);
        fund(listed, debtor);
    }

    function fund(address listed, address debtor) internal {
        IMintable(listed).mint(debtor, FUNDS);
        vm.prank(debtor);
        // Not by IERC20.approve: some tokens return nothing.
        (bool approved,) =
            listed.call(abi.encodeCall(IERC20.approve, (address(rail), type(uint128).max)));
        isTrue("approved", approved);
        vm.prank(debtor);
        rail.setMandate(listed, CAP, DAY_CAP, EXPIRY);
    }

    function payment(address creditor, uint256 amount, uint32 offset)
        internal
        pure
        returns (Payment memory)
    {
        uint256 terms =
            uint256(uint160(creditor)) << 96 | uint256(uint64(amount)) << 32 | offset;
        return Payment(terms, keccak256(abi.encode(terms)));
    }

    function creditorOf(Payment memory paid) internal pure returns (address) {
        return address(uint160(paid.terms >> 96));
    }

    function amountOf(Payment memory paid) internal pure returns (uint256) {
        return uint64(paid.terms >> 32);
    }

    function one(address creditor, uint256 amount) internal pure returns (Payment[] memory batch) {
        batch = new Payment[](1);
        batch[0] = payment(creditor, amount, 0);
    }

    /// @dev The outcome of a single payment, with every consequence checked.
    function settleOne(address asset, address creditor, uint256 amount, uint256 sequence)
        internal
        returns (Rejection)
    {
        return settle(asset, DEBTOR, sequence, one(creditor, amount))[0];
    }

    /// @dev Settles a batch and checks what must hold for every batch, whatever its token does: one
    /// event a payment, in order, telling its terms; settled is moved, rejected moved nothing; the
    /// bits follow; the rail keeps nothing.
    function settle(address asset, address debtor, uint256 base, Payment[] memory payments)
        internal
        returns (Rejection[] memory codes)
    {
        Before memory before = _before(asset, debtor, base, payments);

        vm.recordLogs();
        vm.prank(OPERATOR);
        rail.settle(asset, debtor, DEADLINE, base, payments);

        codes = outcomes(asset, debtor, base, payments);
        _checkBalances(asset, debtor, payments, codes, before);
        _checkBits(debtor, base, payments, codes, before);
    }

    function _before(address asset, address debtor, uint256 base, Payment[] memory payments)
        private
        view
        returns (Before memory before)
    {
        before.debtorHeld = IERC20(asset).balanceOf(debtor);
        before.held = new uint256[](payments.length);
        before.settled = new bool[](payments.length);
        for (uint256 i = 0; i < payments.length; ++i) {
            before.held[i] = IERC20(asset).balanceOf(creditorOf(payments[i]));
            before.settled[i] = rail.isSettled(debtor, base + uint32(payments[i].terms));
        }
    }

    function _checkBalances(
        address asset,
        address debtor,
        Payment[] memory payments,
        Rejection[] memory codes,
        Before memory before
    ) private view {
        uint256 moved;
        for (uint256 i = 0; i < payments.length; ++i) {
            address creditor = creditorOf(payments[i]);
            if (codes[i] == Rejection.None) moved += amountOf(payments[i]);
            if (creditor == debtor) continue;
            uint256 grown;
            for (uint256 j = 0; j < payments.length; ++j) {
                bool isHis = creditorOf(payments[j]) == creditor && codes[j] == Rejection.None;
                if (isHis) grown += amountOf(payments[j]);
            }
            equal("creditor got", IERC20(asset).balanceOf(creditor), before.held[i] + grown);
        }
        equal("debtor gave", IERC20(asset).balanceOf(debtor), before.debtorHeld - moved);
        equal("rail keeps", IERC20(asset).balanceOf(address(rail)), 0);
    }

    function _checkBits(
        address debtor,
        uint256 base,
        Payment[] memory payments,
        Rejection[] memory codes,
        Before memory before
    ) private view {
        for (uint256 i = 0; i < payments.length; ++i) {
            bool isPaid = codes[i] == Rejection.None || codes[i] == Rejection.AlreadySettled;
            bool isSettled = rail.isSettled(debtor, base + uint32(payments[i].terms));
            isTrue("paid is settled", !isPaid || isSettled);
            isTrue("never unsettled", !before.settled[i] || isSettled);
            isTrue("never paid again", !before.settled[i] || codes[i] == Rejection.AlreadySettled);
        }
    }

    /// @dev Reads the rail's events; each must tell its payment's terms.
    function outcomes(address asset, address debtor, uint256 base, Payment[] memory payments)
        internal
        returns (Rejection[] memory codes)
    {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        codes = new Rejection[](payments.length);
        uint256 n;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(rail)) continue;
            isTrue("one event a payment", n < payments.length);
            equal("debtor told", uint256(logs[i].topics[1]), uint160(debtor));
            equal("sequence told", uint256(logs[i].topics[2]), base + uint32(payments[n].terms));
            equal("ref told", uint256(logs[i].topics[3]), uint256(payments[n].ref));
            bytes memory told = abi.encode(asset, creditorOf(payments[n]), amountOf(payments[n]));
            if (logs[i].topics[0] == ISettlementRail.Rejected.selector) {
                (,,, codes[n]) = abi.decode(logs[i].data, (address, address, uint256, Rejection));
                isTrue("rejected for a reason", codes[n] != Rejection.None);
                told = bytes.concat(told, abi.encode(codes[n]));
            } else {
                isTrue("settled", logs[i].topics[0] == ISettlementRail.Settled.selector);
            }
            isTrue("terms told", keccak256(logs[i].data) == keccak256(told));
            ++n;
        }
        equal("events", n, payments.length);
    }

    function same(Rejection found, Rejection expected) internal pure {
        equal("outcome", uint8(found), uint8(expected));
    }
}
