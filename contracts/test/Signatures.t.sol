// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IToken} from "./base/Deployed.sol";
import {RailFixture} from "./base/RailFixture.sol";

/// @title Signatures in other hands: replayed, turned over, of another time, place or person
contract SignaturesTest is RailFixture {
    uint256 private constant KEY = 0xA11CE;
    /// @dev The order of the curve: with (r, s), (r, N - s) signs the same.
    uint256 private constant N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    bytes32 private constant PERMIT = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );
    string private constant TERMS =
        "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)";
    bytes32 private constant NONCE = keccak256("settlement");

    address private owner;

    function setUp() public override {
        super.setUp();
        owner = vm.addr(KEY);
        token.mint(owner, 100);
    }

    function test_whoeverSubmitsAPermitFirstChangesNothingForTheDebtor() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(token, _permit(77)));
        bytes memory call =
            abi.encodeCall(token.permit, (owner, address(rail), 77, DEADLINE, v, r, s));

        vm.prank(STRANGER);
        isTrue("in front", _succeeds(address(token), call));

        isTrue("not a second time", !_succeeds(address(token), call));
        equal("allowance", token.allowance(owner, address(rail)), 77);
    }

    function test_aPermitIsOfItsTokenItsChainItsTimeItsTermsAndItsOwner() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(token, _permit(77)));
        _refusesPermit(newToken(address(this)), owner, 77, v, r, s);
        _refusesPermit(token, owner, 78, v, r, s);
        _refusesPermit(token, STRANGER, 77, v, r, s);
        _refusesPermit(token, address(0), 77, v, bytes32(0), s);
        vm.warp(DEADLINE + 1);
        _refusesPermit(token, owner, 77, v, r, s);
        vm.warp(DEADLINE);
        vm.chainId(31_338);
        _refusesPermit(token, owner, 77, v, r, s);
        vm.chainId(31_337);
        token.permit(owner, address(rail), 77, DEADLINE, v, r, s);
    }

    function test_aSignatureTurnedOverIsRefused() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(token, _permit(77)));
        _refusesPermit(token, owner, 77, v == 27 ? 28 : 27, r, bytes32(N - uint256(s)));
        _refusesPermit(token, owner, 77, v - 27, r, s);
        (v, r, s) = vm.sign(KEY, _digest(token, _terms("TransferWithAuthorization(")));
        bytes32 turned = bytes32(N - uint256(s));
        isTrue("high s", !_transfers(token, v == 27 ? 28 : 27, r, turned));
        isTrue("v of 0 or 1", !_transfers(token, v - 27, r, s));
        isTrue("as it was signed", _transfers(token, v, r, s));
    }

    function test_anAuthorizationIsOfItsTokenItsChainAndItsTime() public {
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(KEY, _digest(token, _terms("TransferWithAuthorization(")));
        IToken other = newToken(address(this));
        other.mint(owner, 100);

        isTrue("another token", !_transfers(other, v, r, s));
        vm.chainId(31_338);
        isTrue("another chain", !_transfers(token, v, r, s));
        vm.chainId(31_337);
        vm.warp(NOON - 1);
        isTrue("not yet", !_transfers(token, v, r, s));
        vm.warp(DEADLINE);
        isTrue("not any more", !_transfers(token, v, r, s));
        vm.warp(DEADLINE - 1);
        isTrue("its last second", _transfers(token, v, r, s));
    }

    function test_whatThePayeeIsToTakeNobodyElseSubmits() public {
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(KEY, _digest(token, _terms("ReceiveWithAuthorization(")));
        bytes memory call = abi.encodeCall(
            token.receiveWithAuthorization,
            (owner, CREDITOR, 60, NOON - 1, DEADLINE, NONCE, v, r, s)
        );

        isTrue("not as a transfer", !_transfers(token, v, r, s));
        vm.prank(STRANGER);
        isTrue("not by a stranger", !_succeeds(address(token), call));
        vm.prank(CREDITOR);
        isTrue("by the payee", _succeeds(address(token), call));
        equal("once", token.balanceOf(CREDITOR), 60);
    }

    function test_whatItsSignerTookBackMovesNothing() public {
        bytes32 cancelled = keccak256(
            abi.encode(
                keccak256("CancelAuthorization(address authorizer,bytes32 nonce)"), owner, NONCE
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(0xB0B, _digest(token, cancelled));
        bytes memory call = abi.encodeCall(token.cancelAuthorization, (owner, NONCE, v, r, s));
        isTrue("not by another's hand", !_succeeds(address(token), call));
        (v, r, s) = vm.sign(KEY, _digest(token, cancelled));
        token.cancelAuthorization(owner, NONCE, v, r, s);

        (v, r, s) = vm.sign(KEY, _digest(token, _terms("TransferWithAuthorization(")));
        isTrue("taken back", !_transfers(token, v, r, s));
    }

    function test_theFrozenAndThePausedAreSafeFromSignaturesToo() public {
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(KEY, _digest(token, _terms("TransferWithAuthorization(")));
        token.freeze(owner);
        isTrue("frozen", !_transfers(token, v, r, s));
        token.unfreeze(owner);
        token.pause();
        isTrue("paused", !_transfers(token, v, r, s));
        token.unpause();
        isTrue("neither", _transfers(token, v, r, s));
    }

    function _permit(uint256 value) private view returns (bytes32) {
        return keccak256(abi.encode(PERMIT, owner, address(rail), value, 0, DEADLINE));
    }

    function _terms(string memory kind) private view returns (bytes32) {
        bytes32 typeHash = keccak256(bytes.concat(bytes(kind), bytes(TERMS)));
        return keccak256(abi.encode(typeHash, owner, CREDITOR, 60, NOON - 1, DEADLINE, NONCE));
    }

    function _digest(IToken its, bytes32 structHash) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", its.DOMAIN_SEPARATOR(), structHash));
    }

    function _transfers(IToken its, uint8 v, bytes32 r, bytes32 s) private returns (bool) {
        bytes memory call = abi.encodeCall(
            its.transferWithAuthorization, (owner, CREDITOR, 60, NOON - 1, DEADLINE, NONCE, v, r, s)
        );
        return _succeeds(address(its), call);
    }

    function _refusesPermit(IToken its, address who, uint256 value, uint8 v, bytes32 r, bytes32 s)
        private
    {
        bytes memory call =
            abi.encodeCall(its.permit, (who, address(rail), value, DEADLINE, v, r, s));
        isTrue("refused", !_succeeds(address(its), call));
        equal("no allowance", its.allowance(who, address(rail)), 0);
    }

    function _succeeds(address target, bytes memory call) private returns (bool success) {
        (success,) = target.call(call);
    }
}
