"""Ways to break one thing in a healthy world: deeds, and the checks that each turns red.

The deeds themselves are listed beside, by what they are done to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from settlement.chain.rail_abi import SETTLED
from tests.verify.conftest import Patient
from tests.verify.world import OPERATOR

Deed = Callable[[Patient], None]

FIRST = "(SELECT id FROM settlement ORDER BY id LIMIT 1)"
PAYMENT = "(SELECT MIN(seq) FROM journal_entry WHERE kind = 'payment')"
ACCEPT = "(SELECT MIN(seq) FROM journal_entry WHERE kind = 'accept')"
GAS = "(SELECT MAX(seq) FROM journal_entry WHERE kind = 'gas')"
FUNDING = "(SELECT MIN(seq) FROM journal_entry WHERE kind = 'funding')"
DEPOSIT = "(SELECT MIN(seq) FROM journal_entry WHERE kind = 'transfer')"

_SUMS = (
    "UPDATE balance SET (posted_high, posted_minor) = (SELECT"
    " SUM(CASE a.unit WHEN 'WEI' THEN p.amount_minor / 4294967296 ELSE 0 END),"
    " SUM(CASE a.unit WHEN 'WEI' THEN p.amount_minor % 4294967296 ELSE p.amount_minor END)"
    " FROM posting p JOIN account a ON a.id = p.account_id"
    " WHERE p.account_id = balance.account_id AND p.phase = 'posted')"
    " WHERE EXISTS (SELECT 1 FROM posting p WHERE p.account_id = balance.account_id"
    " AND p.phase = 'posted')"
)


@dataclass(frozen=True, slots=True)
class Planted:
    """A deed, and the checks that it turns red; all others stay green."""

    what: str
    deed: Deed
    red: tuple[str, ...]
    flags: tuple[str, ...] = ()


def sql(*statements: str) -> Deed:
    """Change rows."""
    return lambda patient: patient.harm(*statements)


def forged(*statements: str) -> Deed:
    """Change the journal and make its chain of hashes and the kept sums right again."""

    def deed(patient: Patient) -> None:
        patient.harm(*statements, _SUMS)
        patient.rehash()

    return deed


def lying(method: str, change: Callable[[list[Any], Any], Any]) -> Deed:
    """Let the node answer one method otherwise."""

    def deed(patient: Patient) -> None:
        patient.node.twist = lambda asked, params, answer: (
            change(params, answer) if asked == method else answer
        )

    return deed


def more_of_a_call(selector: str) -> Deed:
    def change(params: list[Any], answer: str) -> str:
        return f"0x{int(answer, 16) + 1:064x}" if params[0]["data"].startswith(selector) else answer

    return lying("eth_call", change)


def _logs(receipts: list[Any], topic: str) -> list[Any]:
    return [log for each in receipts for log in each["logs"] if log["topics"][0] == topic]


def settled_log_unseen(_params: list[Any], receipts: list[Any]) -> list[Any]:
    for log in _logs(receipts, SETTLED):
        log["topics"][0] = "0x" + "00" * 32
    return receipts


def another_sequence(patient: Patient) -> None:
    """The chain settled one sequence twice and another never, and we have stored just that."""
    first, second = patient.rows("SELECT sequence FROM settlement ORDER BY id LIMIT 2")
    patient.harm(
        f"UPDATE chain_log SET sequence = {first[0]} WHERE name = 'Settled'"
        f" AND sequence = {second[0]}"
    )
    old, new = f"0x{second[0]:064x}", f"0x{first[0]:064x}"

    def change(_params: list[Any], receipts: list[Any]) -> list[Any]:
        for log in _logs(receipts, SETTLED):
            log["topics"][2] = new if log["topics"][2] == old else log["topics"][2]
        return receipts

    lying("eth_getBlockReceipts", change)(patient)


def foreign_use_of_our_key(patient: Patient) -> None:
    """One of the companies' chain transactions turns out to be signed by the operator."""
    sender = patient.world.place.wallets[0].address

    def change(_params: list[Any], receipts: list[Any]) -> list[Any]:
        for receipt in receipts:
            if receipt["from"] == sender:
                receipt["from"] = OPERATOR.address
        return receipts

    lying("eth_getBlockReceipts", change)(patient)


def transfer_behind_our_back(patient: Patient) -> None:
    """The node shows a Transfer to a wallet of ours that nobody here has seen."""
    world = patient.world
    token, wallet = world.token(), world.place.wallets[0].address

    def change(_params: list[Any], receipts: list[Any]) -> list[Any]:
        for receipt in receipts[-1:]:
            logs = receipt["logs"]
            if logs and logs[-1]["topics"][0] == SETTLED:
                ours = dict(logs[-1], address=token, logIndex="0x3e7", data=f"0x{5:064x}")
                ours["topics"] = [
                    "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
                    "0x" + "00" * 12 + "ab" * 20,
                    "0x" + wallet[2:].rjust(64, "0"),
                ]
                logs.append(ours)
        return receipts

    lying("eth_getBlockReceipts", change)(patient)


def a_transfer_repeated(_params: list[Any], receipts: list[Any]) -> list[Any]:
    """The Transfer of the last Settled log stands in its chain transaction once more."""
    for receipt in receipts:
        logs = receipt["logs"]
        if len(logs) > 1 and logs[-1]["topics"][0] == SETTLED:
            logs.append(dict(logs[-2], logIndex="0x3e7"))
    return receipts


def no_trigger(patient: Patient) -> None:
    if patient.url.startswith("sqlite"):
        _execute(patient, "DROP TRIGGER posting_no_delete")
    else:
        _execute(patient, "ALTER TABLE posting DISABLE TRIGGER posting_append_only")


def overpaid(patient: Patient) -> None:
    if not patient.url.startswith("sqlite"):
        _execute(patient, "ALTER TABLE invoice DROP CONSTRAINT invoice_never_overpaid")
    patient.harm("UPDATE invoice SET payable_minor = payable_minor - 1 WHERE number = 'RE-first'")


def _execute(patient: Patient, statement: str) -> None:
    from settlement.store import open_engine

    engine = open_engine(patient.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
