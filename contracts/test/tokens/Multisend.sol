// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title The gas bench's yardstick: pays many from one, promises nothing.
/// @dev Each word is creditor << 96 | amount.
contract Multisend {
    function send(IERC20 token, address debtor, uint256[] calldata terms) external {
        for (uint256 i = 0; i < terms.length; ++i) {
            token.transferFrom(debtor, address(uint160(terms[i] >> 96)), uint96(terms[i]));
        }
    }
}
