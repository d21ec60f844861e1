// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Payment} from "../../src/interfaces/ISettlementRail.sol";
import {IRail} from "../base/Deployed.sol";
import {BareToken} from "./BareToken.sol";

/// @title Says that it moved money, and moves none.
contract LyingToken is BareToken {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return true;
    }
}

/// @title Moves money and returns false.
contract ModestToken is BareToken {
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        super.transferFrom(from, to, amount);
        return false;
    }
}

/// @title Moves one unit more than it is asked to.
contract GenerousToken is BareToken {
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return super.transferFrom(from, to, amount + 1);
    }
}

/// @title Takes a fee from the debtor, on top of what the creditor gets.
contract SurchargeToken is BareToken {
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        _update(from, address(0xFEE), 1);
        return super.transferFrom(from, to, amount);
    }
}

/// @title Answers with `answer`, whatever that is, after moving the money.
contract AnsweringToken is BareToken {
    bytes public answer;

    function setAnswer(bytes calldata newAnswer) external {
        answer = newAnswer;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        super.transferFrom(from, to, amount);
        bytes memory told = answer;
        assembly {
            return(add(told, 0x20), mload(told))
        }
    }
}

/// @title Answers a payment to `victim` with `size` zero bytes, in a revert or in a return.
contract BombToken is BareToken {
    address public victim;
    uint256 public size;
    bool public isRevert;

    function arm(address newVictim, uint256 newSize, bool newIsRevert) external {
        (victim, size, isRevert) = (newVictim, newSize, newIsRevert);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (to != victim) return super.transferFrom(from, to, amount);
        uint256 length = size;
        if (isRevert) {
            assembly {
                revert(0, length)
            }
        }
        assembly {
            return(0, length)
        }
    }
}

/// @title Tells only the first `length` bytes of a balance, once it was told to.
contract MumblingToken is BareToken {
    uint256 public length = 32;

    function setLength(uint256 newLength) external {
        length = newLength;
    }

    function balanceOf(address account) public view override returns (uint256) {
        uint256 held = super.balanceOf(account);
        uint256 told = length;
        assembly {
            mstore(0, held)
            return(0, told)
        }
    }
}

/// @title Calls back into whatever it was told to, before it pays; notes whether that succeeded.
contract ReenteringToken is BareToken {
    address public target;
    bytes public call;
    bool public succeeded;
    bool public called;
    bytes public answer;

    function setCall(address newTarget, bytes calldata newCall) external {
        (target, call) = (newTarget, newCall);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (target != address(0)) {
            called = true;
            (succeeded, answer) = target.call(call);
        }
        return super.transferFrom(from, to, amount);
    }
}
