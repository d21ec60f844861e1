// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BareToken} from "./BareToken.sol";

/// @title Uses up all the gas it is given when it should pay `victim`.
contract GasBurningToken is BareToken {
    address public victim;

    function setVictim(address newVictim) external {
        victim = newVictim;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (to == victim) {
            assembly {
                invalid()
            }
        }
        return super.transferFrom(from, to, amount);
    }
}
