"""What can be broken in payments, books and claims."""

from __future__ import annotations

from settlement.chain.rail_abi import BALANCE_OF, TOTAL_SUPPLY
from tests.verify.planting import (
    ACCEPT,
    DEPOSIT,
    FIRST,
    PAYMENT,
    Planted,
    another_sequence,
    forged,
    lying,
    more_of_a_call,
    no_trigger,
    overpaid,
    settled_log_unseen,
    sql,
    transfer_behind_our_back,
)

IN_BOOKS = (
    Planted("a sequence is settled twice on the chain", another_sequence, ("I1",)),
    Planted(
        "a settlement is settled that the chain never paid",
        lying("eth_getBlockReceipts", settled_log_unseen),
        ("I1", "I2", "MATCHED"),
    ),
    Planted(
        "a document is exchanged under a settlement",
        sql(f"UPDATE settlement SET document_sha256 = '{'ab' * 32}' WHERE id = {FIRST}"),
        ("I1",),
    ),
    Planted(
        "a settlement is recorded at another log",
        sql(f"UPDATE settlement SET log_index = log_index + 40 WHERE id = {FIRST}"),
        ("I1",),
    ),
    Planted("a transfer came in unseen", transfer_behind_our_back, ("I2",)),
    Planted(
        "a deposit is booked from a log that does not exist",
        forged(
            "UPDATE journal_entry SET source_key = 'log:' || block_hash || ':998'"
            f" WHERE seq = {DEPOSIT}"
        ),
        ("I2",),
    ),
    Planted(
        "a stored log is lost",
        sql(
            "DELETE FROM chain_log WHERE name = 'Transfer' AND pair_index IS NULL AND"
            f" tx_hash = (SELECT tx_hash FROM journal_entry WHERE seq = {DEPOSIT})"
        ),
        ("I2",),
    ),
    Planted(
        "an entry on an orphaned block is not reversed",
        forged(
            "UPDATE journal_entry SET reverses_seq = NULL WHERE reverses_seq ="
            f" {PAYMENT[:-1]} AND block_hash IN"
            " (SELECT hash FROM block WHERE NOT canonical))"
        ),
        ("I2",),
    ),
    Planted(
        "a payment is booked as somebody else's",
        forged(
            "UPDATE journal_entry SET settlement_id = (SELECT MAX(id) FROM settlement)"
            f" WHERE seq = {PAYMENT}"
        ),
        ("I2", "MATCHED", "RESERVED", "SUMS"),
    ),
    Planted(
        "an entry does not balance",
        forged(f"UPDATE posting SET amount_minor = 1 WHERE entry_seq = {ACCEPT} AND line = 0"),
        ("I3",),
    ),
    Planted(
        "a claim does not meet its token",
        forged(
            f"UPDATE posting SET amount_minor = amount_minor + 7 WHERE entry_seq = {PAYMENT}"
            " AND line = 2",
            f"UPDATE posting SET amount_minor = amount_minor - 7 WHERE entry_seq = {PAYMENT}"
            " AND line = 3",
        ),
        ("I3",),
    ),
    Planted("a wallet holds more than the books say", more_of_a_call(BALANCE_OF), ("I4",)),
    Planted("the supply is not the liability", more_of_a_call(TOTAL_SUPPLY), ("I4",)),
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
        sql(f"UPDATE journal_entry SET reason = 'because' WHERE seq = {ACCEPT}"),
        ("I7",),
    ),
    Planted(
        "a posting was moved to another account",
        sql(
            "UPDATE posting SET account_id = (SELECT id FROM account WHERE code LIKE 'sales:%:USD')"
            f" WHERE entry_seq = {ACCEPT} AND line = 2"
        ),
        ("I7", "SUMS"),
    ),
    Planted(
        "an entry was taken out",
        sql(
            f"DELETE FROM posting WHERE entry_seq = {ACCEPT}",
            f"DELETE FROM journal_entry WHERE seq = {ACCEPT}",
        ),
        ("I7", "SUMS"),
    ),
    Planted("a trigger that guards history is gone", no_trigger, ("I7",)),
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
    Planted("an invoice is overpaid", overpaid, ("I16",)),
    Planted(
        "funds are set aside for nobody",
        forged(
            "UPDATE journal_entry SET settlement_id = NULL WHERE seq ="
            " (SELECT MIN(seq) FROM journal_entry WHERE kind = 'reserve')"
        ),
        ("RESERVED", "SUMS"),
    ),
    Planted(
        "a kept sum has drifted from the postings",
        sql("UPDATE balance SET posted_minor = posted_minor + 1 WHERE account_id = 1"),
        ("SUMS",),
    ),
)
