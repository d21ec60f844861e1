// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BareToken} from "./BareToken.sol";

/// @title Keeps back `fee` of every transfer; zero until it is switched on.
contract FeeToken is BareToken {
    uint256 public fee;

    function setFee(uint256 newFee) external {
        fee = newFee;
    }

    function _update(address from, address to, uint256 amount) internal override {
        bool isTransfer = from != address(0) && to != address(0);
        if (!isTransfer || fee == 0) return super._update(from, to, amount);
        super._update(from, to, amount - fee);
        super._update(from, address(0), fee);
    }
}
