"""What of a block's receipts is ours, how it reads, and which Transfer belongs to which Settled.

No node, no database.
"""

from typing import Any, TypeAlias

import orjson
import pytest

from settlement.chain import rail_abi
from settlement.chain.port import Address, BlockRef, Hash, Log, Receipt
from settlement.config import Settings
from settlement.errors import ChainUnreachable
from settlement.watcher.decoding import LOG_COLUMNS, RECEIPT_COLUMNS, Filter, Rows, decode

RAIL, TOKEN, OTHER_TOKEN = (Address("0x" + two * 20) for two in ("aa", "bb", "cc"))
DEBTOR, CREDITOR, STRANGER, SIGNER = ("0x" + two * 20 for two in ("d1", "c1", "99", "51"))
OURS = Filter(
    rail=RAIL,
    decimals={TOKEN: 6, OTHER_TOKEN: 2},
    signers={Address(SIGNER)},
    booking_depth=Settings().booking_depth,
)
TOP = 2**64 - 1

Event: TypeAlias = tuple[Any, tuple[str, ...], str]
"""Address, topics and data of a log."""


def words(*values: int | str) -> str:
    """ABI words of numbers and addresses."""
    return "".join(
        rail_abi.word(value) if isinstance(value, int) else rail_abi.address_word(value)
        for value in values
    )


def a_transfer(amount: int = 5, token: str = TOKEN, to: str = CREDITOR) -> Event:
    topics = (rail_abi.TRANSFER, "0x" + words(DEBTOR), "0x" + words(to))
    return (token, topics, "0x" + words(amount))


def a_settled(
    amount: int = 5, token: str = TOKEN, to: str = CREDITOR, sequence: int = 7, rail: str = RAIL
) -> Event:
    topics = (rail_abi.SETTLED, "0x" + words(DEBTOR), "0x" + words(sequence), "0x" + "5e" * 32)
    return (rail, topics, "0x" + words(token, to, amount))


def a_rejected(amount: int = 5, code: int = 9) -> Event:
    topics = (rail_abi.REJECTED, "0x" + words(DEBTOR), "0x" + words(7), "0x" + "5e" * 32)
    return (RAIL, topics, "0x" + words(TOKEN, CREDITOR, amount, code))


def decoded(
    *logs: Event, sender: str = STRANGER, first: int = 0
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Logs and receipts, as rows by column, of a block with one chain transaction."""
    receipt = Receipt(
        tx_hash=Hash("0x" + "77" * 32),
        tx_index=0,
        sender=Address(sender),
        to=RAIL,
        status=1,
        gas_used=21_000,
        gas_price_wei=7,
        logs=tuple(Log(*log, first + place) for place, log in enumerate(logs)),
    )
    rows = Rows()
    decode(a_block(tx_count=1, has_logs=bool(logs)), [receipt], OURS, rows)
    return (
        [dict(zip(LOG_COLUMNS, row, strict=True)) for row in rows.logs],
        [dict(zip(RECEIPT_COLUMNS, row, strict=True)) for row in rows.receipts],
    )


def a_block(*, tx_count: int, has_logs: bool) -> BlockRef:
    return BlockRef(9, Hash("0x09"), Hash("0x08"), 0, tx_count, has_logs, 0)


def pairs(*logs: Event) -> dict[int, int | None]:
    return {row["log_index"]: row["pair_index"] for row in decoded(*logs)[0]}


def test_a_payment_reads_as_its_terms() -> None:
    logs, receipts = decoded(a_transfer(5), a_settled(5, sequence=7))

    transfer, settled = logs
    terms = {"token": TOKEN, "debtor": DEBTOR, "creditor": CREDITOR, "amount_minor": 5}
    assert transfer == transfer | terms | {"name": "Transfer", "reference": None, "pair_index": 1}
    assert settled == settled | terms | {
        "name": "Settled",
        "sequence": 7,
        "reference": "0x" + "5e" * 32,
        "code": None,
        "address": RAIL,
        "block_number": 9,
        "tx_hash": "0x" + "77" * 32,
        "pair_index": 0,
        "detail": None,
    }
    assert receipts[0] == receipts[0] | {"gas_used": 21_000, "depth": 1, "books": "due"}


def test_equal_payments_of_one_batch_are_paired_in_their_order() -> None:
    found = pairs(a_transfer(), a_settled(), a_transfer(), a_settled())

    assert found == {0: 1, 1: 0, 2: 3, 3: 2}


def test_the_first_of_two_equal_transfers_belongs_to_the_first_settled() -> None:
    found = pairs(a_transfer(), a_transfer(), a_settled())

    assert found == {0: 2, 1: None, 2: 0}


@pytest.mark.parametrize(
    "settled",
    [
        a_settled(6),
        a_settled(token=OTHER_TOKEN),
        a_settled(to=STRANGER),
        a_settled(rail=STRANGER),
    ],
)
def test_a_settled_with_another_term_is_not_paired(settled: Event) -> None:
    found = pairs(a_transfer(), settled)

    assert set(found.values()) == {None}


def test_an_amount_that_fits_nowhere_is_kept_as_text_and_never_paired() -> None:
    logs, receipts = decoded(a_transfer(2**255), a_settled(2**255, sequence=TOP))

    transfer, settled = logs
    assert (transfer["amount_minor"], settled["amount_minor"]) == (None, None)
    assert (settled["sequence"], settled["pair_index"]) == (None, None)
    assert orjson.loads(transfer["detail"]) == {"amount": str(2**255)}
    assert orjson.loads(settled["detail"]) == {"amount": str(2**255), "sequence": str(TOP)}
    assert receipts[0]["depth"] == 6


@pytest.mark.parametrize(("minor", "fits"), [(2**63 - 1, True), (2**63, False), (2**64, False)])
def test_the_largest_amount_is_the_database_s(minor: int, fits: bool) -> None:
    logs, _ = decoded(a_transfer(minor))

    assert logs[0]["amount_minor"] == (minor if fits else None)


def test_a_rejection_carries_its_code() -> None:
    logs, _ = decoded(a_rejected(0, code=9))

    assert logs[0]["name"] == "Rejected"
    assert (logs[0]["code"], logs[0]["amount_minor"], logs[0]["sequence"]) == (9, 0, 7)


def test_a_mandate_reads_as_its_caps() -> None:
    topics = (rail_abi.MANDATE_SET, "0x" + words(DEBTOR), "0x" + words(TOKEN))
    revoked = (rail_abi.MANDATE_REVOKED, *topics[1:])

    logs, _ = decoded((RAIL, topics, "0x" + words(5, 50, 2**40 - 1)), (RAIL, revoked, "0x"))

    assert [row["name"] for row in logs] == ["MandateSet", "MandateRevoked"]
    assert [(row["debtor"], row["token"]) for row in logs] == [(DEBTOR, TOKEN)] * 2
    assert orjson.loads(logs[0]["detail"]) == {
        "cap_per_payment": "5",
        "cap_per_day": "50",
        "expiry": str(2**40 - 1),
    }


def test_events_of_strangers_are_nobody_s_business() -> None:
    fake = (STRANGER, a_settled()[1], a_settled()[2])
    fake_transfer = (STRANGER, a_transfer()[1], a_transfer()[2])

    logs, receipts = decoded(fake_transfer, fake)

    assert (logs, receipts) == ([], [])


def test_another_event_of_ours_is_kept_as_its_raw_words() -> None:
    shapes = [
        (TOKEN, ("0x" + "12" * 32,), "0x"),
        (TOKEN, (), "0x"),
        (TOKEN, (*a_transfer()[1], "0x" + words(1)), "0x"),
        (RAIL, a_settled()[1][:3], a_settled()[2]),
        (RAIL, a_settled()[1], a_settled()[2] + "00"),
        (RAIL, a_transfer()[1], a_transfer()[2]),
        (TOKEN, a_settled()[1], a_settled()[2]),
    ]

    logs, receipts = decoded(*shapes)

    assert [row["name"] for row in logs] == ["other"] * len(shapes)
    assert [tuple(orjson.loads(row["detail"])["topics"]) for row in logs] == [
        shape[1] for shape in shapes
    ]
    assert len(receipts) == 1


def test_a_receipt_without_a_log_of_ours_is_kept_if_a_lane_of_ours_signed_it() -> None:
    _, ours = decoded(sender=SIGNER)
    _, theirs = decoded(sender=STRANGER)

    assert (len(ours), len(theirs)) == (1, 0)


@pytest.mark.parametrize(
    ("logs", "depth"),
    [
        ([a_transfer(99_999_999_999)], 1),
        ([a_transfer(100_000_000_000)], 6),
        ([a_transfer(50_000_000_000), a_transfer(50_000_000_000, to=STRANGER)], 6),
        ([a_transfer(99_999_999_999), a_transfer(9_999_999, token=OTHER_TOKEN)], 1),
        ([a_transfer(1), a_transfer(10_000_000, token=OTHER_TOKEN)], 6),
    ],
)
def test_the_largest_total_of_one_token_decides_the_depth(logs: list[Event], depth: int) -> None:
    _, receipts = decoded(*logs)

    assert receipts[0]["depth"] == depth


def test_receipts_that_are_missing_are_noticed() -> None:
    with pytest.raises(ChainUnreachable, match="0 receipts of 1"):
        decode(a_block(tx_count=1, has_logs=True), [], OURS, Rows())


@pytest.mark.parametrize("first", [1, 3])
def test_logs_that_are_missing_before_the_first_are_noticed(first: int) -> None:
    with pytest.raises(ChainUnreachable, match="no log 0"):
        decoded(a_transfer(), first=first)


def test_a_log_that_is_missing_in_the_middle_is_noticed() -> None:
    logs = (Log(*a_transfer(), 0), Log(*a_settled(), 2))
    receipt = Receipt(Hash("0x1"), 0, Address(STRANGER), RAIL, 1, 1, 1, logs)

    with pytest.raises(ChainUnreachable, match="a gap"):
        decode(a_block(tx_count=1, has_logs=True), [receipt], OURS, Rows())


def test_no_logs_against_the_header_s_bloom_are_noticed() -> None:
    receipt = Receipt(Hash("0x1"), 0, Address(STRANGER), RAIL, 1, 1, 1, ())

    with pytest.raises(ChainUnreachable, match="against its header"):
        decode(a_block(tx_count=1, has_logs=True), [receipt], OURS, Rows())
