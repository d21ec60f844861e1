// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The test runner's cheat codes that our tests use
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function addr(uint256 key) external pure returns (address);
    function assume(bool condition) external pure;
    function chainId(uint256 newChainId) external;
    function deployCode(string calldata artifact, bytes calldata constructorArgs)
        external
        returns (address);
    function etch(address target, bytes calldata code) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data, address emitter) external;
    function expectRevert(bytes4 selector) external;
    function expectRevert(bytes calldata revertData) external;
    function getRecordedLogs() external returns (Log[] memory);
    function load(address target, bytes32 slot) external view returns (bytes32);
    function prank(address sender) external;
    function recordLogs() external;
    function sign(uint256 key, bytes32 digest) external pure returns (uint8, bytes32, bytes32);
    function warp(uint256 timestamp) external;
}

/// @title What every test contract starts from: the cheat codes, and statements that must hold.
abstract contract TestBase {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    error NotEqual(string what, uint256 found, uint256 expected);
    error NotTrue(string what);

    function equal(string memory what, uint256 found, uint256 expected) internal pure {
        if (found != expected) revert NotEqual(what, found, expected);
    }

    function equal(string memory what, address found, address expected) internal pure {
        equal(what, uint160(found), uint160(expected));
    }

    function isTrue(string memory what, bool condition) internal pure {
        if (!condition) revert NotTrue(what);
    }
}
