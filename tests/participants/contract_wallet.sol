// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
contract ContractWallet {
    address private immutable owner;
    bool private immutable talks;
    constructor(address owner_, bool talks_) { owner = owner_; talks = talks_; }
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length != 65) return 0xffffffff;
        uint8 v = uint8(signature[64]);
        address signer = ecrecover(hash, v < 27 ? v + 27 : v, bytes32(signature[:32]), bytes32(signature[32:64]));
        if (signer == owner && signer != address(0)) {
            if (talks) { assembly { mstore(0, shl(224, 0x1626ba7e)) mstore(32, 1) return(0, 64) } }
            return 0x1626ba7e;
        }
        return 0xffffffff;
    }
}
