// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRailMandates} from "../../src/interfaces/IRailMandates.sol";
import {IRailRegistry} from "../../src/interfaces/IRailRegistry.sol";
import {ISettlementRail} from "../../src/interfaces/ISettlementRail.sol";
import {ISettlementToken} from "../../src/interfaces/ISettlementToken.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IERC3009, IERC3009Cancel} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @title All of SettlementRail
/// @dev Tests deploy the contracts by name: what runs is what was built with the shipped settings.
interface IRail is ISettlementRail, IRailMandates, IRailRegistry {
    function GAS_NEEDED() external view returns (uint256);
    function TOKEN_GAS() external view returns (uint256);
    function acceptOwnership() external;
    function owner() external view returns (address);
    function paused() external view returns (bool);
    function pendingOwner() external view returns (address);
    function renounceOwnership() external;
    function transferOwnership(address newOwner) external;
}

/// @title All of SettlementToken
interface IToken is
    ISettlementToken,
    IERC20Metadata,
    IERC20Permit,
    IERC3009,
    IERC3009Cancel,
    IAccessControl
{
    function BURNER_ROLE() external view returns (bytes32);
    function FREEZER_ROLE() external view returns (bytes32);
    function MINTER_ROLE() external view returns (bytes32);
    function PAUSER_ROLE() external view returns (bytes32);
    function SUPPLY_LIMIT() external view returns (uint256);
    function paused() external view returns (bool);
}
