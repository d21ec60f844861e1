"""What must hold once a rail has come to rest, whatever went wrong before."""

from __future__ import annotations

from pathlib import Path

from settlement import ledger, participants
from settlement.chain.signing import read_signed
from settlement.clock import counted_ids
from settlement.store import migrate, open_engine, reading, transaction
from tests.builders.rail import NOW, OPERATOR, Rail
from tests.builders.three_companies import COMPANIES


def assert_sound(rail: Rail) -> None:
    """Nobody paid twice, no nonce lost, every byte stored, books equal to the chain."""
    _paid_once(rail)
    _sent_what_was_stored(rail)
    _books_equal_the_chain(rail)
    for row in rail.rows("SELECT * FROM invoice WHERE type_code <> '381'"):
        waiting = rail.rows(
            "SELECT claim_minor FROM settlement WHERE invoice_id = :id"
            " AND state NOT IN ('SETTLED', 'REJECTED', 'CANCELLED')",
            id=row.id,
        )
        paid = rail.rows(
            "SELECT claim_minor FROM settlement WHERE invoice_id = :id AND state = 'SETTLED'",
            id=row.id,
        )
        assert row.in_flight_minor == sum(each.claim_minor for each in waiting)
        assert row.settled_minor == sum(each.claim_minor for each in paid)


def _paid_once(rail: Rail) -> None:
    paid = rail.rows(
        "SELECT l.reference, COUNT(*) AS times FROM chain_log l"
        " JOIN block b ON b.hash = l.block_hash AND b.canonical"
        " WHERE l.name = 'Settled' AND l.pair_index IS NOT NULL GROUP BY l.reference"
    )
    assert all(row.times == 1 for row in paid), paid
    settled = rail.rows("SELECT reference FROM settlement WHERE state IN ('SETTLED', 'BOOKED')")
    assert {row.reference for row in settled} == {row.reference for row in paid}


def _sent_what_was_stored(rail: Rail) -> None:
    attempts = {
        row.hash: row
        for row in rail.rows(
            "SELECT a.*, c.nonce, c.signer FROM attempt a JOIN chain_tx c ON c.id = a.chain_tx_id"
        )
    }
    for row in attempts.values():
        signed = read_signed(bytes(row.raw))
        assert (signed.hash, signed.nonce, signed.sender) == (row.hash, row.nonce, row.signer)
    head = rail.chain.head().number
    headers = rail.chain.headers(0, head)
    receipts = [receipt for block in rail.chain.receipts(headers) for receipt in block]
    for lane in rail.rows("SELECT signer, kind, next_nonce FROM lane"):
        rows = rail.rows(
            "SELECT nonce FROM chain_tx WHERE signer = :signer ORDER BY nonce", signer=lane.signer
        )
        # The registrar took the rail before its lane began.
        begun = 1 if lane.kind == "admin" else 0
        assert [row.nonce for row in rows] == list(range(begun, lane.next_nonce))
        mined = [receipt.tx_hash for receipt in receipts if receipt.sender == lane.signer]
        assert set(mined[begun:]) <= set(attempts), "bytes were mined that were never stored"
        assert len(mined) == rail.chain.nonce(lane.signer)


def _books_equal_the_chain(rail: Rail) -> None:
    with reading(rail.engine) as session:
        assert ledger.verify_chain(session).holds
        assert ledger.trial_balance(session).is_balanced
    for wallet in (rail.seller_wallet, rail.buyer_wallet):
        assert rail.booked(wallet) == rail.balance(wallet)
        if set(rail.states().values()) <= {"SETTLED", "REJECTED", "CANCELLED"}:
            assert rail.reserved(wallet) == 0


def cold_replay(rail: Rail, folder: Path) -> dict[str, int]:
    """What the wallets hold by the books of a database that reads the chain from its beginning."""
    engine = open_engine(f"sqlite:///{folder / 'replay.sqlite3'}")
    migrate(engine)
    with transaction(engine) as session:
        participants.record_deployment(
            session, rail.sandbox.deployment, nonces={OPERATOR.address: 10**6}, now=NOW
        )
        companies = [
            type(each)(each.lei, each.name, each.country, each.town, wallets=(pair.address,))
            for each, pair in zip(COMPANIES, rail.sandbox.wallets, strict=True)
        ]
        participants.register(session, companies, ids=counted_ids(), now=NOW)
    copy = Rail(
        engine, rail.chain, rail.controls, rail.sandbox, folder, rail.settings, counted_ids()
    )
    worker = copy.worker(signer=rail.signer())
    for _ in range(20):
        if not copy.tick(worker).new_blocks:
            break
    found = {wallet: copy.booked(wallet) for wallet in (rail.seller_wallet, rail.buyer_wallet)}
    engine.dispose()
    return found
