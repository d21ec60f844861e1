// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TokenKind} from "../src/interfaces/IRailRegistry.sol";
import {Payment, Rejection} from "../src/interfaces/ISettlementRail.sol";
import {RailFixture} from "./base/RailFixture.sol";
import {ForgetfulToken, GasMeter, GiftToken} from "./tokens/Adversaries.sol";
import {AnsweringToken, BombToken} from "./tokens/OddTokens.sol";

/// @title Tokens that lie about one balance, give gifts, or want to be starved
contract AdversariesTest is RailFixture {
    function test_aGiftOnTopForTheCreditorIsUndoneWhenChecked() public {
        GiftToken odd = new GiftToken();
        open(address(odd), TokenKind.Checked, DEBTOR);

        same(settleOne(address(odd), CREDITOR, 10, 1), Rejection.TokenRefused);

        equal("no gift", odd.totalSupply(), FUNDS);
    }

    /// @dev Each of the four balances by itself: what is not told whole, or in a revert, counts as
    /// not told, also where the bytes that came would make the sum right.
    function test_aTokenThatKeepsBackTheEndOfOneBalanceIsRejectedWhenChecked() public {
        for (uint256 silence = 1; silence <= 8; ++silence) {
            ForgetfulToken odd = new ForgetfulToken();
            open(address(odd), TokenKind.Checked, DEBTOR);
            same(settleOne(address(odd), CREDITOR, 256, 10 * silence), Rejection.None);
            odd.silence(silence, DEBTOR, CREDITOR);
            Payment[] memory batch = one(CREDITOR, 256);

            vm.recordLogs();
            vm.prank(OPERATOR);
            rail.settle(address(odd), DEBTOR, DEADLINE, 10 * silence + 1, batch);

            same(outcomes(address(odd), DEBTOR, 10 * silence + 1, batch)[0], Rejection.TokenRefused);
            isTrue("free", !rail.isSettled(DEBTOR, 10 * silence + 1));
        }
    }

    /// @dev However little gas an operator gives: the token is called with all of its bound, or
    /// the batch stops. Nobody is rejected by the sender's thrift.
    function test_noAmountOfGasStarvesATokenInsteadOfStoppingTheBatch() public {
        for (uint8 kind = 1; kind <= 2; ++kind) {
            GasMeter odd = new GasMeter();
            open(address(odd), TokenKind(kind), DEBTOR);
            uint256 sequence = 1_000 * kind;
            same(settleOne(address(odd), CREDITOR, 1, sequence), Rejection.None);
            same(settleOne(address(odd), CREDITOR, 1, ++sequence), Rejection.None);
            uint256 whole = odd.seen();
            uint256 stopped;
            uint256 paid;

            for (uint256 i = 0; i < 120; ++i) {
                odd.forget();
                uint256 given = rail.TOKEN_GAS() + 10_000 + i * 500;
                if (_settlesWith(given, address(odd), ++sequence)) ++paid;
                else ++stopped;
                isTrue("all or nothing", odd.seen() == 0 || odd.seen() + 100 >= whole);
            }
            isTrue("both were tried", stopped > 20 && paid > 20);
        }
    }

    /// @dev What stood in memory before the answer never completes it: here, the creditor itself.
    function test_aShortAnswerIsNoYesWhateverStandsBehindIt() public {
        address creditor = address(uint160(1 << 152 | 1));
        address[] memory people = new address[](1);
        people[0] = creditor;
        rail.listParticipants(people);
        BombToken odd = new BombToken();
        open(address(odd), TokenKind.Exact, DEBTOR);

        for (uint256 size = 1; size < 32; ++size) {
            odd.arm(creditor, size, false);
            same(settleOne(address(odd), creditor, 1, size), Rejection.TokenRefused);
        }
    }

    function test_whatIsOddAndNotOneIsNoYes() public {
        AnsweringToken odd = new AnsweringToken();
        open(address(odd), TokenKind.Checked, DEBTOR);
        uint256[3] memory answers = [3, type(uint256).max, 1 << 255 | 1];

        for (uint256 i = 0; i < answers.length; ++i) {
            odd.setAnswer(abi.encode(answers[i]));
            same(settleOne(address(odd), CREDITOR, 1, i), Rejection.TokenRefused);
        }
    }

    function test_theOwnerIsWhoeverTheDeployerSays() public {
        equal("owner", newRail(STRANGER).owner(), STRANGER);
    }

    function _settlesWith(uint256 given, address odd, uint256 sequence) private returns (bool) {
        bytes memory call =
            abi.encodeCall(rail.settle, (odd, DEBTOR, DEADLINE, sequence, one(CREDITOR, 1)));
        vm.prank(OPERATOR);
        (bool success,) = address(rail).call{gas: given}(call);
        isTrue("paid if it went through", success == rail.isSettled(DEBTOR, sequence));
        return success;
    }
}
