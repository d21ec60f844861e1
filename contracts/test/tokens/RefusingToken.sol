// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BareToken} from "./BareToken.sol";

/// @title Returns false, and moves nothing, when it should pay `refused`.
contract RefusingToken is BareToken {
    address public refused;

    function setRefused(address account) external {
        refused = account;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (to == refused) return false;
        return super.transferFrom(from, to, amount);
    }
}
