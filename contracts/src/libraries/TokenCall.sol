// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title Token calls that cannot harm their caller
/// @notice Bounded in gas and in what is read back: a token that uses up its gas, reverts, or
/// returns megabytes costs its own call and nothing else. Written in assembly for that: Solidity
/// would copy all that comes back.
library TokenCall {
    /// @dev Asks `token` to move `amount`. True if the call succeeded and returned nothing or
    /// exactly `true`. Assumes that `token` has code: at an address without code any call succeeds.
    function transferFrom(
        address token,
        address debtor,
        address creditor,
        uint256 amount,
        uint256 gasBound
    ) internal returns (bool agreed) {
        bytes4 selector = IERC20.transferFrom.selector;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, selector)
            mstore(add(input, 0x04), debtor)
            mstore(add(input, 0x24), creditor)
            mstore(add(input, 0x44), amount)
            // At most one word comes back, into scratch space.
            let success := call(gasBound, token, 0, input, 0x64, 0x00, 0x20)
            let size := returndatasize()
            agreed := and(success, or(iszero(size), and(gt(size, 0x1f), eq(mload(0x00), 1))))
        }
    }

    /// @dev The balance of `account`, and whether the token answered with a whole word.
    function balanceOf(address token, address account)
        internal
        view
        returns (bool answered, uint256 held)
    {
        bytes4 selector = IERC20.balanceOf.selector;
        assembly ("memory-safe") {
            mstore(0x00, selector)
            mstore(0x04, account)
            let success := staticcall(gas(), token, 0x00, 0x24, 0x00, 0x20)
            answered := and(success, gt(returndatasize(), 0x1f))
            held := mload(0x00)
        }
    }
}
