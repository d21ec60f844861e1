"""One thing is broken in a healthy world, and the checker names just that: none cannot fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from settlement.chain.rail_abi import BALANCE_OF, SETTLED, TOTAL_SUPPLY
from tests.verify.conftest import Patient
from tests.verify.world import OPERATOR

Deed = Callable[[Patient], None]

_FIRST = "(SELECT id FROM settlement ORDER BY id LIMIT 1)"
_PAYMENT = "(SELECT MIN(seq) FROM journal_entry WHERE kind = 'payment')"
_ACCEPT = "(SELECT MIN(seq) FROM journal_entry WHERE kind = 'accept')"
_DEPOSIT = "(SELECT MIN(seq) FROM journal_entry WHERE kind = 'transfer')"


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
    """Change the journal and make its chain of hashes right again."""

    def deed(patient: Patient) -> None:
        patient.harm(*statements)
        patient.rehash()

    return deed


def lying(method: str, change: Callable[[list[Any], Any], Any]) -> Deed:
    """Let the node answer one method otherwise."""

    def deed(patient: Patient) -> None:
        patient.node.twist = lambda asked, params, answer: (
            change(params, answer) if asked == method else answer
        )

    return deed


def _more_of_a_call(selector: str) -> Deed:
    def change(params: list[Any], answer: str) -> str:
        return f"0x{int(answer, 16) + 1:064x}" if params[0]["data"].startswith(selector) else answer

    return lying("eth_call", change)


def _logs(receipts: list[Any], topic: str) -> list[Any]:
    return [log for each in receipts for log in each["logs"] if log["topics"][0] == topic]


def _settled_log_unseen(_params: list[Any], receipts: list[Any]) -> list[Any]:
    for log in _logs(receipts, SETTLED):
        log["topics"][0] = "0x" + "00" * 32
    return receipts


def _another_sequence(patient: Patient) -> None:
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


def _foreign_use_of_our_key(patient: Patient) -> None:
    """One of the companies' chain transactions turns out to be signed by the operator."""
    sender = patient.world.place.wallets[0].address

    def change(_params: list[Any], receipts: list[Any]) -> list[Any]:
        for receipt in receipts:
            if receipt["from"] == sender:
                receipt["from"] = OPERATOR.address
        return receipts

    lying("eth_getBlockReceipts", change)(patient)


def _transfer_behind_our_back(patient: Patient) -> None:
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


def _no_trigger(patient: Patient) -> None:
    if patient.url.startswith("sqlite"):
        _execute(patient, "DROP TRIGGER posting_no_delete")
    else:
        _execute(patient, "ALTER TABLE posting DISABLE TRIGGER posting_append_only")


def _overpaid(patient: Patient) -> None:
    if not patient.url.startswith("sqlite"):
        _execute(patient, "ALTER TABLE invoice DROP CONSTRAINT invoice_never_overpaid")
    patient.harm("UPDATE invoice SET payable_minor = payable_minor - 1 WHERE number = 'RE-first'")


def _execute(patient: Patient, statement: str) -> None:
    from settlement.store import open_engine

    engine = open_engine(patient.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


PLANTED = (
    Planted("a sequence is settled twice on the chain", _another_sequence, ("I1",)),
    Planted(
        "a settlement is settled that the chain never paid",
        lying("eth_getBlockReceipts", _settled_log_unseen),
        ("I1", "I2", "MATCHED"),
    ),
    Planted(
        "a document is exchanged under a settlement",
        sql(f"UPDATE settlement SET document_sha256 = '{'ab' * 32}' WHERE id = {_FIRST}"),
        ("I1",),
    ),
    Planted(
        "a settlement is recorded at another log",
        sql(f"UPDATE settlement SET log_index = log_index + 40 WHERE id = {_FIRST}"),
        ("I1",),
    ),
    Planted("a transfer came in unseen", _transfer_behind_our_back, ("I2",)),
    Planted(
        "a deposit is booked from a log that does not exist",
        forged(
            "UPDATE journal_entry SET source_key = 'log:' || block_hash || ':998'"
            f" WHERE seq = {_DEPOSIT}"
        ),
        ("I2",),
    ),
    Planted(
        "a stored log is lost",
        sql(
            "DELETE FROM chain_log WHERE name = 'Transfer' AND pair_index IS NULL AND"
            f" tx_hash = (SELECT tx_hash FROM journal_entry WHERE seq = {_DEPOSIT})"
        ),
        ("I2",),
    ),
    Planted(
        "an entry on an orphaned block is not reversed",
        forged(
            "UPDATE journal_entry SET reverses_seq = NULL WHERE reverses_seq ="
            f" {_PAYMENT[:-1]} AND block_hash IN"
            " (SELECT hash FROM block WHERE NOT canonical))"
        ),
        ("I2",),
    ),
    Planted(
        "a payment is booked as somebody else's",
        forged(
            "UPDATE journal_entry SET settlement_id = (SELECT MAX(id) FROM settlement)"
            f" WHERE seq = {_PAYMENT}"
        ),
        ("I2", "MATCHED", "RESERVED"),
    ),
    Planted(
        "an entry does not balance",
        forged(f"UPDATE posting SET amount_minor = 1 WHERE entry_seq = {_ACCEPT} AND line = 0"),
        ("I3",),
    ),
    Planted(
        "a claim does not meet its token",
        forged(
            f"UPDATE posting SET amount_minor = amount_minor + 7 WHERE entry_seq = {_PAYMENT}"
            " AND line = 2",
            f"UPDATE posting SET amount_minor = amount_minor - 7 WHERE entry_seq = {_PAYMENT}"
            " AND line = 3",
        ),
        ("I3",),
    ),
    Planted("a wallet holds more than the books say", _more_of_a_call(BALANCE_OF), ("I4",)),
    Planted("the supply is not the liability", _more_of_a_call(TOTAL_SUPPLY), ("I4",)),
    Planted(
        "an operator's coins are not what the books say",
        lying("eth_getBalance", lambda _params, answer: hex(int(answer, 16) - 1)),
        ("I4",),
    ),
    Planted(
        "an acknowledged invoice is not there",
        sql('UPDATE idempotency SET body = \'{"id": "inv_' + "f" * 32 + "\"}'"),
        ("I5/I6",),
    ),
    Planted(
        "an entry was edited",
        sql(f"UPDATE journal_entry SET reason = 'because' WHERE seq = {_ACCEPT}"),
        ("I7",),
    ),
    Planted(
        "a posting was moved to another account",
        sql(
            "UPDATE posting SET account_id = (SELECT id FROM account WHERE code LIKE 'sales:%:USD')"
            f" WHERE entry_seq = {_ACCEPT} AND line = 2"
        ),
        ("I7",),
    ),
    Planted(
        "an entry was taken out",
        sql(
            f"DELETE FROM posting WHERE entry_seq = {_ACCEPT}",
            f"DELETE FROM journal_entry WHERE seq = {_ACCEPT}",
        ),
        ("I7",),
    ),
    Planted("a trigger that guards history is gone", _no_trigger, ("I7",)),
    Planted(
        "a lane's next nonce skips some",
        sql("UPDATE lane SET next_nonce = next_nonce + 5"),
        ("I8",),
    ),
    Planted(
        "the chain has more nonces than were claimed",
        lying("eth_getTransactionCount", lambda _params, answer: hex(int(answer, 16) + 1)),
        ("I8",),
    ),
    Planted(
        "a nonce served another intent",
        lying(
            "eth_getTransactionByHash",
            lambda _params, answer: dict(answer, input=answer["input"][:-2] + "00"),
        ),
        ("I8",),
    ),
    Planted(
        "a nonce is claimed by nothing",
        sql("UPDATE chain_tx SET nonce = 70 WHERE nonce = 6", "UPDATE lane SET next_nonce = 71"),
        ("I8",),
    ),
    Planted(
        "the bytes of an attempt are not those that were sent",
        sql("UPDATE attempt SET raw = (SELECT calldata FROM chain_tx c WHERE c.id = chain_tx_id)"),
        ("I9",),
    ),
    Planted(
        "an attempt was stored after it was sent",
        sql("UPDATE attempt SET created_at = first_sent_at + 1 WHERE created_seq = 2"),
        ("I9",),
    ),
    Planted("a key of ours was used elsewhere", _foreign_use_of_our_key, ("I9",)),
    Planted(
        "a final chain transaction is not where it was mined",
        sql("UPDATE chain_tx SET block_number = block_number + 1 WHERE nonce = 0"),
        ("I9",),
    ),
    Planted(
        "a settlement was called settled twice",
        sql(
            "INSERT INTO outbox (kind, aggregate_id, body, at)"
            f" SELECT 'settlement.settled', {_FIRST}, '{{}}', 1"
        ),
        ("I10",),
    ),
    Planted(
        "paid was said before it was final",
        sql(
            "UPDATE settlement_event SET at = (SELECT MIN(c.at) FROM settlement_event c"
            " WHERE c.settlement_id = settlement_event.settlement_id AND c.move = 'booked')"
            " WHERE move = 'finalized'"
        ),
        ("I10",),
    ),
    Planted(
        "what was settled stands in a block that is not final",
        sql(f"UPDATE settlement SET block_number = block_number + 60 WHERE id = {_FIRST}"),
        ("I10",),
    ),
    Planted(
        "a final block was replaced",
        sql(
            f"UPDATE block SET hash = '0x{'cd' * 32}' WHERE canonical AND number ="
            " (SELECT MAX(number) - 15 FROM block)"
        ),
        ("I10",),
    ),
    Planted(
        "a lane is halted",
        sql("UPDATE lane SET state = 'halted'"),
        ("I11",),
        ("--quiescent",),
    ),
    Planted(
        "a settled settlement is not matched",
        sql(f"UPDATE settlement_match SET live = false WHERE settlement_id = {_FIRST}"),
        ("I11",),
        ("--quiescent",),
    ),
    Planted(
        "a final receipt is not booked",
        sql(
            "UPDATE receipt SET books = 'due' WHERE block_number = (SELECT MIN(block_number)"
            " FROM chain_tx)"
        ),
        ("I11",),
        ("--quiescent",),
    ),
    Planted(
        "a settlement is stuck",
        sql(
            f"UPDATE settlement SET state = 'BOOKED' WHERE id = {_FIRST}",
            f"DELETE FROM settlement_event WHERE move = 'finalized' AND settlement_id = {_FIRST}",
            f"DELETE FROM outbox WHERE kind = 'settlement.settled' AND aggregate_id = {_FIRST}",
            "UPDATE invoice SET in_flight_minor = settled_minor, settled_minor = 0,"
            " state = 'ACCEPTED' WHERE number = 'RE-first'",
            "DELETE FROM invoice_event WHERE move = 'paid' AND invoice_id ="
            " (SELECT id FROM invoice WHERE number = 'RE-first')",
        ),
        ("I11",),
        ("--quiescent",),
    ),
    Planted(
        "an invoice counts more as settled than was paid",
        sql("UPDATE invoice SET settled_minor = settled_minor - 1 WHERE number = 'RE-parted'"),
        ("I16",),
    ),
    Planted(
        "an invoice has something in flight that no settlement has",
        sql("UPDATE invoice SET in_flight_minor = 5 WHERE number = 'RE-parted'"),
        ("I16",),
    ),
    Planted("an invoice is overpaid", _overpaid, ("I16",)),
    Planted(
        "a clearance covers another amount",
        sql("UPDATE clearance SET amount_minor = amount_minor + 1"),
        ("CLEARED",),
    ),
    Planted(
        "a held settlement was paid",
        sql("UPDATE clearance SET outcome = 'HOLD'"),
        ("CLEARED",),
    ),
    Planted(
        "bytes were signed when the clearance was dead",
        sql("UPDATE clearance SET revoked_at = created_at - 1"),
        ("CLEARED",),
    ),
    Planted(
        "a batch pays one that is no member",
        sql("DELETE FROM batch_member WHERE position = 2"),
        ("CLEARED",),
    ),
    Planted(
        "funds are set aside for nobody",
        forged(
            "UPDATE journal_entry SET settlement_id = NULL WHERE seq ="
            " (SELECT MIN(seq) FROM journal_entry WHERE kind = 'reserve')"
        ),
        ("RESERVED",),
    ),
    Planted(
        "a move left no event",
        sql("DELETE FROM settlement_event WHERE move = 'booked'"),
        ("MOVES",),
    ),
    Planted(
        "a row says another state than its last event",
        sql("UPDATE chain_tx SET state = 'SENT' WHERE nonce = 0"),
        ("MOVES",),
    ),
    Planted(
        "a match names another settlement's log",
        sql(
            f"UPDATE settlement_match SET log_index = log_index + 50 WHERE settlement_id = {_FIRST}"
        ),
        ("MATCHED",),
    ),
    Planted(
        "a match names another entry",
        sql(f"UPDATE settlement_match SET entry_seq = 1 WHERE settlement_id = {_FIRST}"),
        ("MATCHED",),
    ),
)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.what)
def test_the_checker_names_just_what_was_broken(patient: Patient, planted: Planted) -> None:
    planted.deed(patient)

    red = patient.red(*planted.flags)

    assert red == set(planted.red)


def test_every_check_has_a_planted_violation(patient: Patient) -> None:
    _, answer = patient.verify("--quiescent")

    names = {check["name"] for check in answer["checks"]}

    assert names == {name for planted in PLANTED for name in planted.red}
