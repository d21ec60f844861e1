// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BareToken} from "./BareToken.sol";

/// @title Takes the amount from the debtor and gives its creditor one unit more.
contract GiftToken is BareToken {
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        bool agreed = super.transferFrom(from, to, amount);
        _mint(to, 1);
        return agreed;
    }
}

/// @title Keeps back the last byte of one answer: a debtor's or creditor's, before or after; places
/// 5 to 8 tell it whole, but in a revert.
/// @dev Balances are multiples of 256, so that the first 31 bytes tell all there is to know.
contract ForgetfulToken is BareToken {
    uint256 private place;
    address private debtor;
    address private creditor;
    bool private hasMoved;

    function silence(uint256 newPlace, address newDebtor, address newCreditor) external {
        (place, debtor, creditor, hasMoved) = (newPlace, newDebtor, newCreditor, false);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        hasMoved = true;
        return super.transferFrom(from, to, amount);
    }

    function balanceOf(address account) public view override returns (uint256) {
        uint256 asked;
        if (account == debtor) asked = hasMoved ? 3 : 1;
        if (account == creditor) asked = hasMoved ? 4 : 2;
        uint256 held = super.balanceOf(account);
        uint256 length = asked != 0 && asked == place ? 31 : 32;
        bool isRevert = asked != 0 && asked + 4 == place;
        assembly {
            mstore(0, held)
            if isRevert { revert(0, 0x20) }
            return(0, length)
        }
    }
}

/// @title Notes how much gas it was given.
contract GasMeter is BareToken {
    uint256 public seen = 1;

    function forget() external {
        seen = 0;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        seen = gasleft();
        return super.transferFrom(from, to, amount);
    }
}
