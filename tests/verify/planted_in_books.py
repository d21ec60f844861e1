"""What can be broken in payments, books and claims."""

from __future__ import annotations

from settlement.chain.rail_abi import BALANCE_OF, TOTAL_SUPPLY
from settlement.verify.words import IS_SETTLED
from tests.verify.planting import (
    ACCEPT,
    DEPOSIT,
    FIRST,
    FUNDING,
    GAS,
    PAYMENT,
    Planted,
    a_transfer_repeated,
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
        ("I1", "I5/I6"),
    ),
    Planted(
        "a settlement is recorded at another log",
        sql(f"UPDATE settlement SET log_index = log_index + 40 WHERE id = {FIRST}"),
        ("I1",),
    ),
    Planted(
        "the rail remembers payments that it never reported",
        lying(
            "eth_call",
            lambda params, answer: (
                f"0x{1:064x}" if params[0]["data"].startswith(IS_SETTLED) else answer
            ),
        ),
        ("I1",),
        ("--at", "40"),
    ),
    Planted(
        "a sequence will be given a second time",
        sql("UPDATE settlement_sequence SET next_sequence = 1"),
        ("I1",),
    ),
    Planted(
        "a settlement left its batch before that was final",
        sql("UPDATE settlement_event SET at = 1 WHERE move = 'rejected'"),
        ("I1",),
    ),
    Planted(
        "the token moved a payment twice",
        lying("eth_getBlockReceipts", a_transfer_repeated),
        ("I1", "I2"),
    ),
    Planted(
        "a reversal does not undo what it reverses",
        forged(
            *(
                f"UPDATE posting SET amount_minor = amount_minor {sign} 3 WHERE line = {line} AND"
                " phase = 'posted' AND entry_seq = (SELECT MIN(r.seq) FROM journal_entry r JOIN"
                " journal_entry o ON o.seq = r.reverses_seq AND o.kind = 'payment')"
                for sign, line in (("+", 0), ("-", 7))
            )
        ),
        ("I2",),
    ),
    Planted(
        "an accepted invoice is not in the books",
        forged(f"UPDATE journal_entry SET invoice_id = NULL WHERE seq = {ACCEPT}"),
        ("I2",),
    ),
    Planted(
        "a payment settles another one's claim",
        forged(
            "UPDATE posting SET account_id = (SELECT id FROM account WHERE code LIKE 'sales:%:USD')"
            f" WHERE entry_seq = {PAYMENT} AND line = 3"
        ),
        ("I2",),
    ),
    Planted(
        "a settlement is called booked that no entry books",
        sql(f"UPDATE settlement SET block_hash = '0x{'ee' * 32}' WHERE id = {FIRST}"),
        ("I1", "I2", "I10"),
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
        ("I2", "I3"),
    ),
    Planted(
        "a claim does not meet its token",
        forged(
            f"UPDATE posting SET amount_minor = amount_minor + 7 WHERE entry_seq = {PAYMENT}"
            " AND line = 2",
            f"UPDATE posting SET amount_minor = amount_minor - 7 WHERE entry_seq = {PAYMENT}"
            " AND line = 3",
        ),
        ("I2", "I3"),
    ),
    Planted("a wallet holds more than the books say", more_of_a_call(BALANCE_OF), ("I4",)),
    Planted("the supply is not the liability", more_of_a_call(TOTAL_SUPPLY), ("I4",)),
    Planted(
        "an operator's coins are not what the books say",
        lying("eth_getBalance", lambda _params, answer: hex(int(answer, 16) - 1)),
        ("I4",),
    ),
    Planted(
        "gas that was not booked is hidden by the next top-up",
        forged(
            f"UPDATE posting SET amount_minor = amount_minor - 7 WHERE entry_seq = {GAS}"
            " AND line = 0",
            f"UPDATE posting SET amount_minor = amount_minor + 7 WHERE entry_seq = {GAS}"
            " AND line = 1",
            f"UPDATE posting SET amount_minor = amount_minor - 7 WHERE entry_seq = {FUNDING}"
            " AND line = 0",
            f"UPDATE posting SET amount_minor = amount_minor + 7 WHERE entry_seq = {FUNDING}"
            " AND line = 1",
        ),
        ("I2",),
    ),
    Planted(
        "an acknowledged invoice is not there",
        sql('UPDATE idempotency SET body = \'{"id": "inv_' + "f" * 32 + "\"}'"),
        ("I5/I6",),
    ),
    Planted(
        "the bytes of a document were changed",
        sql("UPDATE document SET content = 'x' WHERE sha256 = (SELECT MIN(sha256) FROM document)"),
        ("I5/I6",),
    ),
    Planted(
        "an invoice names another document than its settlement pays",
        sql(
            "UPDATE invoice SET document_sha256 = (SELECT MAX(d.sha256) FROM document d"
            " WHERE d.sha256 <> invoice.document_sha256)"
            f" WHERE id = (SELECT invoice_id FROM settlement WHERE id = {FIRST})"
        ),
        ("I5/I6",),
    ),
    Planted(
        "an account is kept as one of another kind",
        sql("UPDATE account SET kind = 'adjustment' WHERE code LIKE 'sales:%'"),
        ("I2",),
    ),
    Planted(
        "a company's account is kept as somebody else's",
        sql("UPDATE account SET owner = 'par_eve' WHERE code LIKE 'wallet:%:TUSD'"),
        ("I2",),
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
        ("I2", "I7", "SUMS"),
    ),
    Planted(
        "an entry was taken out",
        sql(
            f"DELETE FROM posting WHERE entry_seq = {ACCEPT}",
            f"DELETE FROM journal_entry WHERE seq = {ACCEPT}",
        ),
        ("I2", "I7", "SUMS"),
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
    Planted(
        "an invoice that was withdrawn is settled",
        sql(
            "UPDATE invoice SET settled_minor = 1, credited_minor = credited_minor - 1"
            " WHERE number = 'RE-note'"
        ),
        ("I16",),
    ),
    Planted("an invoice is overpaid", overpaid, ("I2", "I16")),
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
