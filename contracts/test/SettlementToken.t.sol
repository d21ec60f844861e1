// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlementToken} from "../src/interfaces/ISettlementToken.sol";
import {RailFixture} from "./base/RailFixture.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

/// @title The test money: its movements, its roles and nobody's power over others' money
contract SettlementTokenTest is RailFixture {
    uint256 private constant KEY = 0xA11CE;
    bytes32 private constant PERMIT = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant AUTHORIZATION = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,"
        "uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );

    function test_itTellsItsNameAndHasSixDecimals() public view {
        equal("name", bytes(token.name()).length, 11);
        equal("symbol", bytes(token.symbol()).length, 4);
        equal("decimals", token.decimals(), 6);
    }

    function test_mintingAndBurningChangeTheSupply() public {
        vm.expectEmit(true, true, true, true, address(token));
        emit IERC20.Transfer(address(0), address(this), 100);
        token.mint(address(this), 100);
        equal("minted", token.totalSupply(), FUNDS + 100);

        vm.expectEmit(true, true, true, true, address(token));
        emit IERC20.Transfer(address(this), address(0), 40);
        token.burn(address(this), 40);
        equal("burned", token.totalSupply(), FUNDS + 60);
        equal("held", token.balanceOf(address(this)), 60);
    }

    function test_aBurnerTakesNobodysMoneyWithoutAllowance() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(this), 0, 1
            )
        );
        token.burn(DEBTOR, 1);

        vm.prank(DEBTOR);
        token.approve(address(this), 1);
        token.burn(DEBTOR, 1);
        equal("held", token.balanceOf(DEBTOR), FUNDS - 1);
    }

    function test_theSupplyFitsALedgerOf63Bits() public {
        uint256 most = token.SUPPLY_LIMIT();
        equal("limit", most, 2 ** 63 - 1);
        token.mint(STRANGER, most - FUNDS);

        vm.expectRevert(
            abi.encodeWithSelector(
                ISettlementToken.SettlementToken_SupplyTooLarge.selector, most + 1
            )
        );
        token.mint(STRANGER, 1);
    }

    function test_nobodyMovesMoreThanItHas() public {
        vm.prank(CREDITOR);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, CREDITOR, 0, 1)
        );
        token.transfer(SECOND, 1);
    }

    function test_aTransferToItselfChangesNothing() public {
        vm.prank(DEBTOR);
        token.transfer(DEBTOR, 5);

        equal("held", token.balanceOf(DEBTOR), FUNDS);
    }

    function test_theTokenItselfReceivesNothing() public {
        vm.prank(DEBTOR);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(token))
        );
        token.transfer(address(token), 5);
    }

    function test_aFrozenAccountNeitherSendsNorReceivesNorIsMintedOrBurned() public {
        vm.prank(DEBTOR);
        token.approve(address(this), 1);
        vm.expectEmit(true, true, true, true, address(token));
        emit ISettlementToken.Frozen(DEBTOR);
        token.freeze(DEBTOR);
        isTrue("frozen", token.isFrozen(DEBTOR));
        equal("its balance still shows", token.balanceOf(DEBTOR), FUNDS);

        bytes memory frozen =
            abi.encodeWithSelector(ISettlementToken.SettlementToken_AccountFrozen.selector, DEBTOR);
        vm.prank(DEBTOR);
        vm.expectRevert(frozen);
        token.transfer(CREDITOR, 1);
        vm.expectRevert(frozen);
        token.mint(DEBTOR, 1);
        vm.expectRevert(frozen);
        token.burn(DEBTOR, 1);
        token.mint(CREDITOR, 1);
        vm.prank(CREDITOR);
        vm.expectRevert(frozen);
        token.transfer(DEBTOR, 1);

        vm.expectEmit(true, true, true, true, address(token));
        emit ISettlementToken.Unfrozen(DEBTOR);
        token.unfreeze(DEBTOR);
        isTrue("thawed", !token.isFrozen(DEBTOR));
        vm.prank(CREDITOR);
        token.transfer(DEBTOR, 1);
        equal("received", token.balanceOf(DEBTOR), FUNDS + 1);
    }

    function test_freezingTwiceAndThawingTwiceSayNothingMore() public {
        token.freeze(DEBTOR);
        vm.recordLogs();
        token.freeze(DEBTOR);
        token.unfreeze(CREDITOR);
        equal("nothing to say", vm.getRecordedLogs().length, 0);
        isTrue("still frozen", token.isFrozen(DEBTOR));
    }

    function test_aPausedTokenMovesNothing() public {
        vm.expectEmit(true, true, true, true, address(token));
        emit Pausable.Paused(address(this));
        token.pause();

        vm.expectRevert(Pausable.EnforcedPause.selector);
        token.mint(DEBTOR, 1);
        vm.prank(DEBTOR);
        vm.expectRevert(Pausable.EnforcedPause.selector);
        token.transfer(CREDITOR, 1);

        vm.expectEmit(true, true, true, true, address(token));
        emit Pausable.Unpaused(address(this));
        token.unpause();
        vm.prank(DEBTOR);
        token.transfer(CREDITOR, 1);
    }

    function test_eachPowerNeedsItsRole() public {
        bytes32[6] memory roles = [
            token.MINTER_ROLE(),
            token.BURNER_ROLE(),
            token.PAUSER_ROLE(),
            token.PAUSER_ROLE(),
            token.FREEZER_ROLE(),
            token.FREEZER_ROLE()
        ];
        bytes[6] memory calls = [
            abi.encodeCall(token.mint, (STRANGER, 1)),
            abi.encodeCall(token.burn, (STRANGER, 0)),
            abi.encodeCall(token.pause, ()),
            abi.encodeCall(token.unpause, ()),
            abi.encodeCall(token.freeze, (STRANGER)),
            abi.encodeCall(token.unfreeze, (STRANGER))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool success, bytes memory answer) = _as(STRANGER, calls[i]);
            isTrue("refused", !success);
            bytes memory expected = abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector, STRANGER, roles[i]
            );
            isTrue("for want of the role", keccak256(answer) == keccak256(expected));

            token.grantRole(roles[i], STRANGER);
            (success,) = _as(STRANGER, calls[i]);
            isTrue("allowed", success);
            token.revokeRole(roles[i], STRANGER);
        }
    }

    function test_aPermitGivesAnAllowance() public {
        address owner = vm.addr(KEY);
        bytes32 permit = keccak256(abi.encode(PERMIT, owner, address(rail), 77, 0, DEADLINE));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(permit));

        token.permit(owner, address(rail), 77, DEADLINE, v, r, s);

        equal("allowance", token.allowance(owner, address(rail)), 77);
    }

    function test_anAuthorizationMovesMoneyOnce() public {
        address from = vm.addr(KEY);
        token.mint(from, 100);
        bytes32 nonce = keccak256("settlement");
        bytes32 signed =
            keccak256(abi.encode(AUTHORIZATION, from, CREDITOR, 60, 0, DEADLINE, nonce));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(signed));

        token.transferWithAuthorization(from, CREDITOR, 60, 0, DEADLINE, nonce, v, r, s);

        equal("moved", token.balanceOf(CREDITOR), 60);
        isTrue("used", token.authorizationState(from, nonce));
        vm.expectRevert(
            abi.encodeWithSelector(ERC3009.ERC3009UsedAuthorization.selector, from, nonce)
        );
        token.transferWithAuthorization(from, CREDITOR, 60, 0, DEADLINE, nonce, v, r, s);
    }

    function testFuzz_balancesAddUpToTheSupply(uint64[6] memory amounts) public {
        address[4] memory all = [DEBTOR, CREDITOR, SECOND, THIRD];
        for (uint256 i = 0; i < amounts.length; ++i) {
            address from = all[i % 4];
            uint256 amount = amounts[i] % (token.balanceOf(from) + 1);
            vm.prank(from);
            token.transfer(all[(i + 1 + amount % 3) % 4], amount);
        }

        uint256 sum;
        for (uint256 i = 0; i < 4; ++i) {
            sum += token.balanceOf(all[i]);
        }
        equal("sum", sum, token.totalSupply());
    }

    function _as(address caller, bytes memory call) private returns (bool, bytes memory) {
        vm.prank(caller);
        return address(token).call(call);
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash));
    }
}
