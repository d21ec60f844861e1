// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TokenKind} from "../src/interfaces/IRailRegistry.sol";
import {Payment, Rejection} from "../src/interfaces/ISettlementRail.sol";
import {RailFixture} from "./base/RailFixture.sol";

/// @title A (debtor, sequence) is paid at most once
contract ExactlyOnceTest is RailFixture {
    function test_aSequenceIsNotPaidTwiceInOneBatchNorInAnother() public {
        Payment[] memory batch = new Payment[](2);
        batch[0] = payment(CREDITOR, 10, 5);
        batch[1] = payment(CREDITOR, 10, 5);

        Rejection[] memory codes = settle(address(token), DEBTOR, 1, batch);
        same(codes[0], Rejection.None);
        same(codes[1], Rejection.AlreadySettled);

        same(settleOne(address(token), CREDITOR, 10, 6), Rejection.AlreadySettled);
    }

    function test_otherTermsDoNotMakeASettledSequencePayable() public {
        same(settleOne(address(token), CREDITOR, 10, 6), Rejection.None);

        same(settleOne(address(token), SECOND, 10, 6), Rejection.AlreadySettled);
        same(settleOne(address(token), CREDITOR, 11, 6), Rejection.AlreadySettled);
    }

    function test_aSettledSequenceIsSettledInEveryToken() public {
        same(settleOne(address(token), CREDITOR, 10, 6), Rejection.None);
        token = newToken(address(this));
        open(address(token), TokenKind.Exact, DEBTOR);

        same(settleOne(address(token), CREDITOR, 10, 6), Rejection.AlreadySettled);
    }

    function test_debtorsDoNotShareSequences() public {
        fund(address(token), SECOND);

        same(settle(address(token), DEBTOR, 9, one(CREDITOR, 10))[0], Rejection.None);
        same(settle(address(token), SECOND, 9, one(CREDITOR, 10))[0], Rejection.None);
    }

    function test_aRejectedSequenceIsPaidLaterAndThenNeverAgain() public {
        same(settleOne(address(token), CREDITOR, CAP + 1, 3), Rejection.OverPaymentCap);
        token.freeze(CREDITOR);
        same(settleOne(address(token), CREDITOR, 10, 3), Rejection.TokenRefused);
        token.unfreeze(CREDITOR);

        same(settleOne(address(token), CREDITOR, 10, 3), Rejection.None);
        same(settleOne(address(token), CREDITOR, 10, 3), Rejection.AlreadySettled);
    }

    function test_aRefusalBetweenTwoPaymentsLeavesTheirBitsAlone() public {
        token.freeze(SECOND);
        Payment[] memory batch = new Payment[](4);
        batch[0] = payment(CREDITOR, 1, 0);
        batch[1] = payment(SECOND, 1, 1);
        batch[2] = payment(THIRD, 1, 2);
        batch[3] = payment(CREDITOR, 1, 1);

        Rejection[] memory codes = settle(address(token), DEBTOR, 0, batch);

        same(codes[1], Rejection.TokenRefused);
        same(codes[3], Rejection.None);
        isTrue("all three", rail.isSettled(DEBTOR, 0) && rail.isSettled(DEBTOR, 2));
    }

    function test_aBatchMayJumpBetweenBitmapWordsAndBack() public {
        Payment[] memory batch = new Payment[](6);
        batch[0] = payment(CREDITOR, 1, 255);
        batch[1] = payment(CREDITOR, 1, 256);
        batch[2] = payment(CREDITOR, 1, 254);
        batch[3] = payment(CREDITOR, 1, 256);
        batch[4] = payment(CREDITOR, 1, 255);
        batch[5] = payment(CREDITOR, 1, type(uint32).max);

        Rejection[] memory codes = settle(address(token), DEBTOR, 0, batch);

        same(codes[2], Rejection.None);
        same(codes[3], Rejection.AlreadySettled);
        same(codes[4], Rejection.AlreadySettled);
        same(codes[5], Rejection.None);
    }

    /// @dev Random batches over few sequences, with creditors frozen and thawed in between: what is
    /// paid is each sequence's first success and nothing after it.
    function testFuzz_whateverIsRejectedAndInWhateverOrder(uint256 seed) public {
        uint256[8] memory paid;
        for (uint256 round = 0; round < 6; ++round) {
            _freezeSome(seed >> (round * 8));
            Payment[] memory batch = new Payment[](5);
            for (uint32 i = 0; i < 5; ++i) {
                uint256 dice = uint256(keccak256(abi.encode(seed, round, i)));
                // Around a word's border, so that both words are in play.
                batch[i] =
                    payment(_creditor(dice), 1 + dice % (CAP + 1), uint32(252 + (dice >> 32) % 8));
            }

            Rejection[] memory codes = settle(address(token), DEBTOR, 1024, batch);

            for (uint256 i = 0; i < 5; ++i) {
                uint256 k = uint32(batch[i].terms) - 252;
                if (codes[i] == Rejection.None) paid[k] += 1;
                isTrue("once", paid[k] <= 1);
                isTrue("told", codes[i] != Rejection.AlreadySettled || paid[k] == 1);
            }
        }
    }

    function testFuzz_onlyItsOwnBitIsSet(uint64 sequence, uint64 other) public {
        sequence = sequence % (type(uint64).max - type(uint32).max);
        vm.assume(other != sequence);

        same(settleOne(address(token), CREDITOR, 1, sequence), Rejection.None);

        isTrue("its own", rail.isSettled(DEBTOR, sequence));
        isTrue("no other", !rail.isSettled(DEBTOR, other));
        isTrue("nobody else's", !rail.isSettled(CREDITOR, sequence));
    }

    function _freezeSome(uint256 dice) private {
        if (dice & 1 != 0) token.freeze(CREDITOR);
        else token.unfreeze(CREDITOR);
        if (dice & 2 != 0) token.freeze(SECOND);
        else token.unfreeze(SECOND);
    }

    function _creditor(uint256 dice) private pure returns (address) {
        address[4] memory all = [CREDITOR, SECOND, THIRD, STRANGER];
        return all[(dice >> 64) % 4];
    }
}
