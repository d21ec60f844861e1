"""What a payment costs in gas, all in: calldata and the chain transaction's base cost included.

Measured on a real anvil with the shipped artifacts; nothing is estimated. The debtor's allowance is
finite, payees, amounts and references are distinct and not zero. What each guarantee costs is the
difference to the same rail built without it, by the same compiler with the same settings.
"""

import argparse
import random
import sys
import time
from typing import Any

from scripts.benches._node import Node, anvil_version, artifact, calldata, running_node
from scripts.benches._report import common, peak_rss_mb, publish, say
from scripts.benches._without import GUARANTEES, rail_without

SEED = 20_26
CAP = 2**62
FOREVER = 2**40 - 1
WORD = 256
EXACT, CHECKED = 1, 2
SETTLE = "settle(address,address,uint256,uint256,(uint256,bytes32)[])"
SEND = "send(address,address,uint256[])"
MINT = "mint(address,uint256)"
APPROVE = "approve(address,uint256)"
SETTLED_LENGTH = 2 + 2 * 96
BAR, BAR_BARE = 18_000, 15_600


class Rail:
    """A rail with its people on a node, and gas measured on it."""

    def __init__(self, node: Node, bytecode: str) -> None:
        self.node = node
        self.owner, self.operator, self.debtor = node.rpc("eth_accounts")[:3]
        self.random = random.Random(SEED)
        self.seconds = 0.0
        self._next_word = 1
        self.address = node.deploy(self.owner, bytecode, ["address"], [self.owner])
        node.call(self.owner, self.address, "setOperator(address,bool)", self.operator, True)
        self._list([self.debtor])

    def settlement_token(self) -> str:
        names = ["Test dollar", "TUSD", self.owner]
        code = artifact("SettlementToken")["bytecode"]
        token = self.node.deploy(self.owner, code, ["string", "string", "address"], names)
        return self._open(token, EXACT)

    def bare_token(self, kind: int) -> str:
        code = artifact("testing/BareToken")["bytecode"]
        return self._open(self.node.deploy(self.owner, code, [], []), kind)

    def payees(self, count: int) -> list[str]:
        """`count` new listed participants."""
        payees = ["0x" + self.random.randbytes(20).hex() for _ in range(count)]
        self._list(payees)
        return payees

    def holders(self, token: str, count: int) -> list[str]:
        """`count` new listed participants that hold the token already."""
        payees = self.payees(count)
        for payee in payees:
            self.node.call(self.owner, token, MINT, payee, self.amount())
        return payees

    def per_payment(self, token: str, payees: list[str], *, is_word_open: bool = True) -> int:
        """Gas a payment of one batch to `payees`, rounded up."""
        base = self._next_word * WORD
        self._next_word += 1
        if is_word_open:
            self._settle(token, base + WORD - 1, self.holders(token, 1))
        started = time.perf_counter()
        gas = self._settle(token, base, payees)
        self.seconds += time.perf_counter() - started
        return -(-gas // len(payees))

    def amount(self) -> int:
        """Between 1,000.00 and 1,000,000.00 in millionths, whole cents."""
        return self.random.randint(1_000_00, 1_000_000_00) * 10_000

    def _settle(self, token: str, base: int, payees: list[str]) -> int:
        payments = [
            (int(payee, 16) << 96 | self.amount() << 32 | offset, self.random.randbytes(32))
            for offset, payee in enumerate(payees)
        ]
        terms = (token, self.debtor, FOREVER, base, payments)
        receipt = self.node.call(self.operator, self.address, SETTLE, *terms)
        _require_paid(receipt, token, len(payees))
        return int(receipt["gasUsed"], 16)

    def _open(self, token: str, kind: int) -> str:
        self.node.call(self.owner, self.address, "listToken(address,uint8)", token, kind)
        self.node.call(self.owner, token, MINT, self.debtor, CAP)
        # Finite, so that every payment pays for keeping count of it.
        self.node.call(self.debtor, token, APPROVE, self.address, CAP)
        mandate = ("setMandate(address,uint64,uint64,uint64)", token, CAP, CAP, FOREVER)
        self.node.call(self.debtor, self.address, *mandate)
        return token

    def _list(self, accounts: list[str]) -> None:
        self.node.call(self.owner, self.address, "listParticipants(address[])", accounts)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench gas", description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    started = time.perf_counter()
    with running_node() as node:
        rail = Rail(node, artifact("SettlementRail")["bytecode"])
        measured = _payments(rail)
        measured |= _yardsticks(rail)
        measured["cost_of"] = _costs(node, measured)
    figures = {
        **common(
            anvil=anvil_version(),
            database="none",
            seconds=rail.seconds,
            total_seconds=time.perf_counter() - started,
            rss_mb=peak_rss_mb(),
        ),
        **measured,
    }
    publish(figures, options.json)
    is_within = (
        measured["gas_per_payment_100_existing"] <= BAR
        and measured["gas_per_payment_100_existing_bare"] <= BAR_BARE
    )
    say(f"bars: {BAR} on SettlementToken, {BAR_BARE} bare: {'met' if is_within else 'MISSED'}")
    return 0


def _payments(rail: Rail) -> dict[str, Any]:
    """The rail as shipped, every guarantee on."""
    token, bare, checked = rail.settlement_token(), rail.bare_token(EXACT), rail.bare_token(CHECKED)
    found: dict[str, Any] = {}

    def note(name: str, gas: int) -> None:
        found[name] = gas
        say(f"{name:<44} {gas:>7}")

    note("gas_per_payment_1_new", rail.per_payment(token, rail.payees(1)))
    for count in (1, 10, 100, 250):
        gas = rail.per_payment(token, rail.holders(token, count))
        note(f"gas_per_payment_{count}_existing", gas)
    note("gas_per_payment_100_new", rail.per_payment(token, rail.payees(100)))
    fresh = rail.per_payment(token, rail.holders(token, 100), is_word_open=False)
    note("gas_per_payment_100_fresh_word", fresh)
    note("gas_per_payment_100_existing_bare", rail.per_payment(bare, rail.holders(bare, 100)))
    gas = rail.per_payment(checked, rail.holders(checked, 100))
    note("gas_per_payment_100_existing_checked", gas)
    return found


def _yardsticks(rail: Rail) -> dict[str, Any]:
    """One plain transfer of SettlementToken; a loop of `transferFrom` on the bare token."""
    node, token = rail.node, rail.settlement_token()
    transfer = ("transfer(address,uint256)", rail.holders(token, 1)[0], rail.amount())
    plain = int(node.call(rail.debtor, token, *transfer)["gasUsed"], 16)

    bare = rail.bare_token(EXACT)
    multisend = node.deploy(rail.owner, artifact("testing/Multisend")["bytecode"], [], [])
    node.call(rail.debtor, bare, APPROVE, multisend, CAP)
    terms = [int(payee, 16) << 96 | rail.amount() for payee in rail.holders(bare, 100)]
    receipt = node.send(rail.operator, multisend, calldata(SEND, bare, rail.debtor, terms))
    _require_paid(receipt, bare, 100)
    found = {"plain_transfer": plain, "bare_multisend_100": -(-int(receipt["gasUsed"], 16) // 100)}
    for name, gas in found.items():
        say(f"{name:<44} {gas:>7}")
    return found


def _costs(node: Node, measured: dict[str, Any]) -> dict[str, int]:
    """Gas a payment that each guarantee costs, in a batch of 100 on the bare token."""
    bare = measured["gas_per_payment_100_existing_bare"]
    costs = {"checked_token": measured["gas_per_payment_100_existing_checked"] - bare}
    for guarantee in ("none", *GUARANTEES):
        # A rail of its own with the same seed: the same payees, amounts and references each time.
        rail = Rail(node, rail_without(guarantee))
        token = rail.bare_token(EXACT)
        gas = rail.per_payment(token, rail.holders(token, 100))
        if guarantee == "none":
            whole = gas
            continue
        costs[guarantee] = whole - gas
        say(f"cost of {guarantee:<36} {costs[guarantee]:>7}")
    return costs


def _require_paid(receipt: dict[str, Any], token: str, count: int) -> None:
    """Every payment has its `Transfer`; where events tell a payment, they say settled."""
    transfers = [log for log in receipt["logs"] if int(log["address"], 16) == int(token, 16)]
    told = [log for log in receipt["logs"] if int(log["address"], 16) != int(token, 16)]
    if len(transfers) != count or any(len(log["data"]) != SETTLED_LENGTH for log in told):
        raise RuntimeError("a payment of the measured batch was not made")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
