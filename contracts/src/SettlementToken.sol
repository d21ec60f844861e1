// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlementToken} from "./interfaces/ISettlementToken.sol";
import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

/// @title SettlementToken
/// @notice See {ISettlementToken}.
/// @dev Allowances, permits, authorizations, roles and pause are OpenZeppelin's. Balances are kept
/// here, because an account's balance and whether it is frozen share one storage slot: asking costs
/// a transfer no slot of its own.
contract SettlementToken is ISettlementToken, ERC20Permit, ERC3009, AccessControl, Pausable {
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");
    bytes32 public constant BURNER_ROLE = keccak256("BURNER_ROLE");
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");
    bytes32 public constant FREEZER_ROLE = keccak256("FREEZER_ROLE");

    /// @notice The most that can exist: what a ledger of 64-bit integers can book.
    uint256 public constant SUPPLY_LIMIT = uint256(uint64(type(int64).max));

    /// @dev One slot: the top bit says whether the account is frozen, the rest is its balance,
    /// below 2^63.
    struct Account {
        uint256 frozenBitAndBalance;
    }

    uint256 private constant FROZEN_BIT = 1 << 255;

    mapping(address account => Account) private _accounts;
    uint256 private _supply;

    /// @param admin Has the admin role and at first every other role, to hand out.
    constructor(string memory name, string memory symbol, address admin)
        ERC20(name, symbol)
        ERC20Permit(name)
    {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(MINTER_ROLE, admin);
        _grantRole(BURNER_ROLE, admin);
        _grantRole(PAUSER_ROLE, admin);
        _grantRole(FREEZER_ROLE, admin);
    }

    /// @inheritdoc ISettlementToken
    function mint(address account, uint256 amount) external onlyRole(MINTER_ROLE) {
        _mint(account, amount);
    }

    /// @inheritdoc ISettlementToken
    function burn(address account, uint256 amount) external onlyRole(BURNER_ROLE) {
        if (account != msg.sender) _spendAllowance(account, msg.sender, amount);
        _burn(account, amount);
    }

    /// @inheritdoc ISettlementToken
    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    /// @inheritdoc ISettlementToken
    function unpause() external onlyRole(PAUSER_ROLE) {
        _unpause();
    }

    /// @inheritdoc ISettlementToken
    function freeze(address account) external onlyRole(FREEZER_ROLE) {
        if (isFrozen(account)) return;
        _accounts[account].frozenBitAndBalance |= FROZEN_BIT;
        emit Frozen(account);
    }

    /// @inheritdoc ISettlementToken
    function unfreeze(address account) external onlyRole(FREEZER_ROLE) {
        if (!isFrozen(account)) return;
        _accounts[account].frozenBitAndBalance &= ~FROZEN_BIT;
        emit Unfrozen(account);
    }

    /// @inheritdoc ISettlementToken
    function isFrozen(address account) public view returns (bool) {
        return _accounts[account].frozenBitAndBalance & FROZEN_BIT != 0;
    }

    /// @inheritdoc ERC20
    function balanceOf(address account) public view override returns (uint256) {
        return _accounts[account].frozenBitAndBalance & ~FROZEN_BIT;
    }

    /// @inheritdoc ERC20
    function totalSupply() public view override returns (uint256) {
        return _supply;
    }

    /// @inheritdoc ERC20
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// @dev Every movement passes here: transfer, mint (`from` is zero) and burn (`to` is zero).
    function _update(address from, address to, uint256 amount) internal override whenNotPaused {
        if (to == address(this)) revert ERC20InvalidReceiver(to);

        // Effect: the amount leaves its sender, or comes into being.
        if (from == address(0)) {
            uint256 supply = _supply + amount;
            if (supply > SUPPLY_LIMIT) revert SettlementToken_SupplyTooLarge(supply);
            _supply = supply;
        } else {
            Account storage sender = _accounts[from];
            uint256 balance = _unfrozenBalance(sender, from);
            if (balance < amount) revert ERC20InsufficientBalance(from, balance, amount);
            unchecked {
                sender.frozenBitAndBalance = balance - amount;
            }
        }

        // Effect: it reaches its receiver, or ceases to be. No balance exceeds the supply, so
        // nothing overflows.
        unchecked {
            if (to == address(0)) {
                _supply -= amount;
            } else {
                Account storage receiver = _accounts[to];
                receiver.frozenBitAndBalance = _unfrozenBalance(receiver, to) + amount;
            }
        }

        emit Transfer(from, to, amount);
    }

    /// @dev The balance of an account that may move money; reverts if it is frozen.
    function _unfrozenBalance(Account storage account, address owner)
        private
        view
        returns (uint256 balance)
    {
        balance = account.frozenBitAndBalance;
        if (balance & FROZEN_BIT != 0) revert SettlementToken_AccountFrozen(owner);
    }
}
