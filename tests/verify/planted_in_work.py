"""What can be broken in sending, finality, clearing, moves and matches."""

from __future__ import annotations

from tests.verify.planting import (
    FIRST,
    Planted,
    foreign_use_of_our_key,
    lying,
    sql,
)

IN_WORK = (
    Planted(
        "wallets are on the chain what the records do not say",
        sql(
            "UPDATE registry_standing SET actual ="
            " CASE actual WHEN 'listed' THEN 'unlisted' ELSE 'listed' END"
        ),
        ("REGISTRY",),
    ),
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
    Planted("a key of ours was used elsewhere", foreign_use_of_our_key, ("I2", "I9")),
    Planted(
        "a final chain transaction is not where it was mined",
        sql("UPDATE chain_tx SET block_number = block_number + 1 WHERE nonce = 0"),
        ("I9", "I10"),
    ),
    Planted(
        "a settlement was called settled twice",
        sql(
            "INSERT INTO outbox (kind, aggregate_id, body, at)"
            f" SELECT 'settlement.settled', {FIRST}, '{{}}', 1"
        ),
        ("I10", "I13"),
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
        "an invoice was called paid when its payment was only booked",
        sql(
            "UPDATE invoice_event SET at = (SELECT MIN(e.at) FROM settlement_event e"
            " JOIN settlement s ON s.id = e.settlement_id"
            " WHERE s.invoice_id = invoice_event.invoice_id AND e.move = 'booked')"
            " WHERE move = 'paid' AND actor = 'rail'"
        ),
        ("I10",),
    ),
    Planted(
        "an invoice was called paid with a part of it",
        sql("UPDATE invoice_event SET move = 'paid', state = 'PAID' WHERE move = 'part_paid'"),
        ("I10", "I13", "MOVES"),
    ),
    Planted(
        "what was settled stands in a block that is not final",
        sql(f"UPDATE settlement SET block_number = block_number + 60 WHERE id = {FIRST}"),
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
        sql("UPDATE lane SET state = 'halted', reason = 'looking'"),
        ("I11",),
        ("--quiescent",),
    ),
    Planted(
        "a settled settlement is not matched",
        sql(f"UPDATE settlement_match SET live = false WHERE settlement_id = {FIRST}"),
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
            f"UPDATE settlement SET state = 'BOOKED' WHERE id = {FIRST}",
            f"DELETE FROM settlement_event WHERE move = 'finalized' AND settlement_id = {FIRST}",
            f"DELETE FROM outbox WHERE kind = 'settlement.settled' AND aggregate_id = {FIRST}",
            "DELETE FROM outbox WHERE kind = 'invoice.paid' AND aggregate_id ="
            " (SELECT id FROM invoice WHERE number = 'RE-first')",
            "UPDATE invoice SET in_flight_minor = settled_minor, settled_minor = 0,"
            " state = 'ACCEPTED' WHERE number = 'RE-first'",
            "DELETE FROM invoice_event WHERE move = 'paid' AND invoice_id ="
            " (SELECT id FROM invoice WHERE number = 'RE-first')",
        ),
        ("I11",),
        ("--quiescent",),
    ),
    Planted(
        "a cancel passes for a payment",
        sql("UPDATE attempt SET kind = 'pay' WHERE kind = 'cancel'"),
        ("I8", "I9"),
    ),
    Planted(
        "an attempt was forgotten",
        sql(
            "DELETE FROM attempt WHERE created_seq = 1 AND chain_tx_id IN"
            " (SELECT chain_tx_id FROM attempt WHERE created_seq = 2)"
        ),
        ("I9",),
    ),
    Planted(
        "an event for the outside was lost",
        sql("DELETE FROM outbox WHERE kind = 'settlement.rejected'"),
        ("I13",),
    ),
    Planted(
        "a lane was halted for no reason",
        sql("UPDATE lane SET state = 'halted', reason = NULL"),
        ("I15",),
    ),
    Planted(
        "a final block was never stored",
        sql("DELETE FROM block WHERE canonical AND number = (SELECT MAX(number) - 14 FROM block)"),
        ("I10",),
    ),
    Planted(
        "bytes were sent when the clearance was dead",
        sql("UPDATE attempt SET last_sent_at = 4000000000000000 WHERE kind = 'pay'"),
        ("CLEARED",),
    ),
    Planted(
        "a batch was paid after its deadline",
        lying(
            "eth_getBlockByNumber",
            lambda _params, block: dict(block, timestamp=hex(int(block["timestamp"], 16) + 10**7)),
        ),
        ("CLEARED",),
    ),
    Planted(
        "a settlement is in another batch than it says",
        sql(
            f"UPDATE settlement SET chain_tx_id = (SELECT MAX(id) FROM chain_tx) WHERE id = {FIRST}"
        ),
        ("CLEARED",),
    ),
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
        "a participant is active without a move",
        sql(
            "UPDATE participant_event SET state = 'suspended' WHERE id ="
            " (SELECT MAX(id) FROM participant_event)"
        ),
        ("MOVES",),
    ),
    Planted(
        "a participant's state is changed by hand",
        sql("UPDATE participant SET state = 'closed' WHERE id = (SELECT MIN(id) FROM participant)"),
        ("MOVES",),
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
            f"UPDATE settlement_match SET log_index = log_index + 50 WHERE settlement_id = {FIRST}"
        ),
        ("MATCHED",),
    ),
    Planted(
        "a match names another entry",
        sql(f"UPDATE settlement_match SET entry_seq = 1 WHERE settlement_id = {FIRST}"),
        ("MATCHED",),
    ),
)
