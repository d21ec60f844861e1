// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SettlementRail} from "../src/SettlementRail.sol";
import {TokenKind} from "../src/interfaces/IRailRegistry.sol";
import {Payment} from "../src/interfaces/ISettlementRail.sol";
import {Vm} from "./base/Vm.sol";

/// @title A token that agrees and refuses as the prover likes, and counts what it paid to whom
contract CapriciousToken {
    mapping(address creditor => uint256 times) public paid;
    uint256 private answers;

    /// @dev One bit for each call to come: 1 agrees.
    function setAnswers(uint256 newAnswers) external {
        answers = newAnswers;
    }

    function transferFrom(address, address to, uint256) external returns (bool agrees) {
        agrees = answers & 1 == 1;
        answers >>= 1;
        if (agrees) ++paid[to];
    }
}

/// @title At most once, for every sequence, amount and cap, and whatever the token answers
/// @dev Proved by halmos, not run by forge: contracts/README.md says how. Arguments are symbols.
contract AtMostOnceProof {
    Vm private constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    address private constant OWNER = address(0x0123);
    address private constant OPERATOR = address(0x0991);
    address private constant DEBTOR = address(0xDEB7);
    address private constant CREDITOR = address(0xC2ED1);
    address private constant SECOND = address(0xC2ED2);

    SettlementRail private rail;
    CapriciousToken private token;

    function setUp() public {
        token = new CapriciousToken();
        rail = new SettlementRail(OWNER);
        address[] memory people = new address[](3);
        (people[0], people[1], people[2]) = (DEBTOR, CREDITOR, SECOND);
        vm.prank(OWNER);
        rail.setOperator(OPERATOR, true);
        vm.prank(OWNER);
        rail.listParticipants(people);
        vm.prank(OWNER);
        rail.listToken(address(token), TokenKind.Exact);
    }

    /// @dev Three payments of one sequence with three amounts, in two batches that split it
    /// differently into base and offset.
    function check_aSequenceIsPaidAtMostOnce(
        uint64 base,
        uint32 shift,
        uint32 offset,
        uint64 amount,
        uint64 otherAmount,
        uint256 answers
    ) public {
        vm.assume(shift <= offset);
        _open(type(uint64).max >> 1, answers);

        Payment[] memory first = new Payment[](2);
        first[0] = _payment(CREDITOR, amount, offset);
        first[1] = _payment(CREDITOR, otherAmount, offset);
        _settle(base, first);
        Payment[] memory second = new Payment[](1);
        second[0] = _payment(CREDITOR, amount, offset - shift);
        _settle(uint256(base) + shift, second);

        assert(token.paid(CREDITOR) <= 1);
        bool isSettled = rail.isSettled(DEBTOR, uint256(base) + offset);
        assert(isSettled == (token.paid(CREDITOR) == 1));
    }

    /// @dev Two sequences, anywhere, paid in turn: neither frees nor takes the other's bit.
    function check_otherSequencesDoNotDisturb(
        uint64 base,
        uint32 one,
        uint32 other,
        uint64 amount,
        uint256 answers
    ) public {
        vm.assume(one != other);
        _open(type(uint64).max >> 1, answers);

        Payment[] memory batch = new Payment[](3);
        batch[0] = _payment(CREDITOR, amount, one);
        batch[1] = _payment(SECOND, amount, other);
        batch[2] = _payment(CREDITOR, amount, one);
        _settle(base, batch);

        assert(token.paid(CREDITOR) <= 1);
        assert(rail.isSettled(DEBTOR, uint256(base) + one) == (token.paid(CREDITOR) == 1));
        assert(rail.isSettled(DEBTOR, uint256(base) + other) == (token.paid(SECOND) == 1));
    }

    function _open(uint64 cap, uint256 answers) private {
        token.setAnswers(answers);
        vm.prank(DEBTOR);
        rail.setMandate(address(token), cap, cap, type(uint40).max);
    }

    function _settle(uint256 base, Payment[] memory payments) private {
        vm.prank(OPERATOR);
        rail.settle(address(token), DEBTOR, type(uint256).max, base, payments);
    }

    function _payment(address creditor, uint64 amount, uint32 offset)
        private
        pure
        returns (Payment memory)
    {
        uint256 terms = uint256(uint160(creditor)) << 96 | uint256(amount) << 32 | offset;
        return Payment(terms, bytes32(0));
    }
}
