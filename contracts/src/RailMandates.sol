// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RailRegistry} from "./RailRegistry.sol";
import {IRailMandates} from "./interfaces/IRailMandates.sol";
import {TokenKind} from "./interfaces/IRailRegistry.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title RailMandates
/// @notice See {IRailMandates}.
abstract contract RailMandates is IRailMandates, RailRegistry, ReentrancyGuardTransient {
    /// @dev One slot. `spent` is what was taken on `day` (chain time); it outlives a revocation and
    /// a new mandate.
    struct Mandate {
        uint64 capPerPayment;
        uint64 capPerDay;
        uint64 spent;
        uint40 expiry;
        uint24 day;
    }

    /// @dev Amounts and caps are below this: what a signed 64-bit integer holds.
    uint256 internal constant AMOUNT_LIMIT = 1 << 63;

    mapping(address debtor => mapping(address token => Mandate)) internal _mandates;

    /// @inheritdoc IRailMandates
    function setMandate(address token, uint64 capPerPayment, uint64 capPerDay, uint64 expiry)
        external
        nonReentrant
    {
        if (_listings[token].kind == TokenKind.None) revert SettlementRail_TokenNotListed(token);
        bool capsValid = capPerPayment != 0 && capPerPayment < AMOUNT_LIMIT && capPerDay != 0
            && capPerDay < AMOUNT_LIMIT;
        if (!capsValid) revert SettlementRail_CapInvalid(capPerPayment, capPerDay);
        if (expiry < block.timestamp || expiry > type(uint40).max) {
            revert SettlementRail_ExpiryInvalid(expiry);
        }

        Mandate storage mandate = _mandates[msg.sender][token];
        mandate.capPerPayment = capPerPayment;
        mandate.capPerDay = capPerDay;
        mandate.expiry = uint40(expiry);
        emit MandateSet(msg.sender, token, capPerPayment, capPerDay, expiry);
    }

    /// @inheritdoc IRailMandates
    function revokeMandate(address token) external nonReentrant {
        Mandate storage mandate = _mandates[msg.sender][token];
        mandate.capPerPayment = 0;
        mandate.capPerDay = 0;
        mandate.expiry = 0;
        emit MandateRevoked(msg.sender, token);
    }

    /// @inheritdoc IRailMandates
    function mandateOf(address debtor, address token)
        external
        view
        returns (uint64 capPerPayment, uint64 capPerDay, uint64 expiry, uint64 leftToday)
    {
        Mandate memory mandate = _mandates[debtor][token];
        leftToday = block.timestamp > mandate.expiry ? 0 : uint64(_leftToday(mandate));
        return (mandate.capPerPayment, mandate.capPerDay, mandate.expiry, leftToday);
    }

    /// @dev Adds `amount` to what was taken from the debtor today.
    function _spend(address debtor, address token, uint256 amount) internal {
        Mandate storage mandate = _mandates[debtor][token];
        uint24 today = _today();
        uint256 spent = mandate.day == today ? mandate.spent : 0;
        // Never over 64 bits: what is spent on a day never passes a cap, and caps are below 2^63.
        mandate.spent = uint64(spent + amount);
        mandate.day = today;
    }

    /// @dev What the mandate leaves for today, whether or not it has expired.
    function _leftToday(Mandate memory mandate) internal view returns (uint256) {
        uint256 spent = mandate.day == _today() ? mandate.spent : 0;
        return mandate.capPerDay > spent ? mandate.capPerDay - spent : 0;
    }

    /// @dev Days since 1970 by the block's time: 24 bits last for 45,000 years.
    function _today() internal view returns (uint24) {
        return uint24(block.timestamp / 1 days);
    }
}
