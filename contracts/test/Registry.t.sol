// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRailRegistry, TokenKind} from "../src/interfaces/IRailRegistry.sol";
import {Rejection} from "../src/interfaces/ISettlementRail.sol";
import {RailFixture} from "./base/RailFixture.sol";
import {BareToken} from "./tokens/BareToken.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

/// @title Who lists whom, and who may do what
contract RegistryTest is RailFixture {
    function test_listingATokenSaysSoWithItsCodeHash() public {
        address listed = address(new BareToken());

        vm.expectEmit(true, true, true, true, address(rail));
        emit IRailRegistry.TokenListed(listed, TokenKind.Checked, listed.codehash);
        rail.listToken(listed, TokenKind.Checked);

        isTrue("checked", rail.tokenKind(listed) == TokenKind.Checked);
        rail.listToken(listed, TokenKind.Exact);
        isTrue("listed again", rail.tokenKind(listed) == TokenKind.Exact);
    }

    function test_unlistingATokenSaysSoOnce() public {
        vm.expectEmit(true, true, true, true, address(rail));
        emit IRailRegistry.TokenUnlisted(address(token));
        rail.unlistToken(address(token));
        isTrue("unlisted", rail.tokenKind(address(token)) == TokenKind.None);

        vm.recordLogs();
        rail.unlistToken(address(token));
        equal("nothing to say", vm.getRecordedLogs().length, 0);
    }

    function test_aTokenIsListedAsExactOrChecked() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRailRegistry.SettlementRail_TokenKindInvalid.selector, address(token)
            )
        );
        rail.listToken(address(token), TokenKind.None);
    }

    function test_anAddressWithoutCodeIsNoToken() public {
        vm.expectRevert(
            abi.encodeWithSelector(IRailRegistry.SettlementRail_TokenWithoutCode.selector, STRANGER)
        );
        rail.listToken(STRANGER, TokenKind.Checked);
    }

    function test_anAccountThatOnlyDelegatesIsNoToken() public {
        vm.etch(STRANGER, bytes.concat(hex"ef0100", bytes20(address(token))));

        vm.expectRevert(
            abi.encodeWithSelector(IRailRegistry.SettlementRail_TokenWithoutCode.selector, STRANGER)
        );
        rail.listToken(STRANGER, TokenKind.Exact);
    }

    function test_theRailAndAParticipantAreNoTokens() public {
        vm.expectRevert(
            abi.encodeWithSelector(IRailRegistry.SettlementRail_TokenInvalid.selector, rail)
        );
        rail.listToken(address(rail), TokenKind.Checked);

        address both = address(new BareToken());
        rail.listParticipants(_list(both));
        vm.expectRevert(
            abi.encodeWithSelector(IRailRegistry.SettlementRail_TokenInvalid.selector, both)
        );
        rail.listToken(both, TokenKind.Checked);
    }

    function test_listingAndUnlistingAParticipantIsSaidOnce() public {
        vm.expectEmit(true, true, true, true, address(rail));
        emit IRailRegistry.ParticipantListed(STRANGER);
        rail.listParticipants(_list(STRANGER));
        isTrue("listed", rail.isParticipant(STRANGER));

        vm.expectEmit(true, true, true, true, address(rail));
        emit IRailRegistry.ParticipantUnlisted(STRANGER);
        rail.unlistParticipants(_list(STRANGER));
        isTrue("unlisted", !rail.isParticipant(STRANGER));

        vm.recordLogs();
        rail.unlistParticipants(_list(STRANGER));
        rail.listParticipants(_list(DEBTOR));
        equal("nothing to say", vm.getRecordedLogs().length, 0);
    }

    function test_theZeroAddressTheRailAndATokenAreNoParticipants() public {
        address[3] memory wrong = [address(0), address(rail), address(token)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IRailRegistry.SettlementRail_ParticipantInvalid.selector, wrong[i]
                )
            );
            rail.listParticipants(_list(wrong[i]));
        }
    }

    function test_namingAnOperatorSaysSo() public {
        vm.expectEmit(true, true, true, true, address(rail));
        emit IRailRegistry.OperatorSet(STRANGER, true);
        rail.setOperator(STRANGER, true);
        isTrue("operator", rail.isOperator(STRANGER));

        vm.expectEmit(true, true, true, true, address(rail));
        emit IRailRegistry.OperatorSet(STRANGER, false);
        rail.setOperator(STRANGER, false);
        isTrue("no operator", !rail.isOperator(STRANGER));
    }

    function test_theOwnerAndTheZeroAddressAreNoOperators() public {
        _refusesOperator(address(this));
        rail.setOperator(address(this), true);
        _refusesOperator(address(0));
        rail.setOperator(address(0), true);
    }

    function test_anOperatorNeverBecomesTheOwner() public {
        rail.transferOwnership(OPERATOR);

        vm.prank(OPERATOR);
        _refusesOperator(OPERATOR);
        rail.acceptOwnership();

        equal("owner", rail.owner(), address(this));
    }

    function test_ownershipMovesInTwoStepsAndIsNeverGivenUp() public {
        rail.transferOwnership(STRANGER);
        equal("still", rail.owner(), address(this));
        vm.expectRevert(IRailRegistry.SettlementRail_OwnerRequired.selector);
        rail.renounceOwnership();

        vm.prank(STRANGER);
        rail.acceptOwnership();
        equal("then", rail.owner(), STRANGER);
    }

    function test_onlyTheOwnerListsNamesAndUnpauses() public {
        bytes[8] memory calls = [
            abi.encodeCall(rail.listToken, (address(token), TokenKind.Exact)),
            abi.encodeCall(rail.unlistToken, (address(token))),
            abi.encodeCall(rail.listParticipants, (_list(STRANGER))),
            abi.encodeCall(rail.unlistParticipants, (_list(STRANGER))),
            abi.encodeCall(rail.setOperator, (STRANGER, true)),
            abi.encodeCall(rail.unpause, ()),
            abi.encodeCall(rail.transferOwnership, (STRANGER)),
            abi.encodeCall(rail.renounceOwnership, ())
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(OPERATOR);
            (bool success, bytes memory answer) = address(rail).call(calls[i]);
            isTrue("refused", !success);
            isTrue("why", bytes4(answer) == Ownable.OwnableUnauthorizedAccount.selector);
        }
    }

    function test_theOwnerAndAnOperatorPauseAndNobodyElse() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRailRegistry.SettlementRail_NotOwnerOrOperator.selector, STRANGER
            )
        );
        vm.prank(STRANGER);
        rail.pause();

        vm.expectEmit(true, true, true, true, address(rail));
        emit Pausable.Paused(OPERATOR);
        vm.prank(OPERATOR);
        rail.pause();
        isTrue("paused", rail.paused());

        vm.expectEmit(true, true, true, true, address(rail));
        emit Pausable.Unpaused(address(this));
        rail.unpause();
        rail.pause();
        vm.expectRevert(Pausable.EnforcedPause.selector);
        rail.pause();
    }

    function test_unpausingWhatIsNotPausedIsRefused() public {
        vm.expectRevert(Pausable.ExpectedPause.selector);
        rail.unpause();
    }

    function test_whilePausedADebtorStillSetsAndRevokesItsMandate() public {
        rail.pause();

        vm.prank(DEBTOR);
        rail.setMandate(address(token), 1, 1, EXPIRY);
        vm.prank(DEBTOR);
        rail.revokeMandate(address(token));

        rail.unpause();
        same(settleOne(address(token), CREDITOR, 1, 1), Rejection.MandateMissing);
    }

    function _refusesOperator(address operator) private {
        vm.expectRevert(
            abi.encodeWithSelector(IRailRegistry.SettlementRail_OperatorInvalid.selector, operator)
        );
    }

    function _list(address account) private pure returns (address[] memory accounts) {
        accounts = new address[](1);
        accounts[0] = account;
    }
}
