"""A day's sums are those of the day's own blocks, also where a reorg moves midnight."""

from sqlalchemy import Engine
from sqlmodel import Session

from settlement.compliance.spent import SECONDS_OF_A_DAY, SpentToday
from settlement.store import transaction
from settlement.store.bulk import insert_rows

MIDNIGHT = 20_000 * SECONDS_OF_A_DAY
DEBTOR, TOKEN = "0x" + "d1" * 20, "0x" + "70" * 20


def _block(session: Session, hash_: str, number: int, after_midnight: int, minor: int = 0) -> None:
    block = (hash_, number, "0x", MIDNIGHT + after_midnight, True, 0)
    columns = ("hash", "number", "parent_hash", "timestamp", "canonical", "seen_at")
    insert_rows(session, "block", columns, [block])
    if minor:
        log = (hash_, 0, 0, "0xt" + hash_, number, "0xrail", "Settled", DEBTOR, TOKEN, minor)
        names = ("block_hash", "log_index", "tx_index", "tx_hash", "block_number", "address")
        insert_rows(
            session, "chain_log", (*names, "name", "debtor", "token", "amount_minor"), [log]
        )


def _final(session: Session, number: int) -> None:
    insert_rows(
        session, "cursor", ("name", "number", "hash", "at"), [("final", number, "0x", 0)],
        "ON CONFLICT (name) DO UPDATE SET number = excluded.number",
    )  # fmt: skip


def test_a_reorg_around_midnight_leaves_no_payment_out(engine: Engine) -> None:
    spent = SpentToday()
    with transaction(engine) as session:
        _block(session, "0x8", 8, -20)
        _final(session, 8)
        _block(session, "0x9", 9, -5)
        _block(session, "0x10", 10, 5, minor=700)
        assert spent.read(session, MIDNIGHT + 5) == {(DEBTOR, TOKEN): 700}
    with transaction(engine) as session:
        session.connection().exec_driver_sql("UPDATE block SET canonical = false WHERE number >= 9")
        _block(session, "0x9b", 9, 1, minor=500)

        first = spent.read(session, MIDNIGHT + 1)
        _final(session, 9)
        again = spent.read(session, MIDNIGHT + 1)

    assert first == again == {(DEBTOR, TOKEN): 500}


def test_what_was_paid_yesterday_is_not_counted_though_it_is_not_final_yet(engine: Engine) -> None:
    spent = SpentToday()
    with transaction(engine) as session:
        _block(session, "0x8", 8, -20)
        _final(session, 8)
        _block(session, "0x9", 9, -5, minor=300)
        _block(session, "0x10", 10, 5, minor=700)

        assert spent.read(session, MIDNIGHT + 5) == {(DEBTOR, TOKEN): 700}
