"""Tie-out: every balance of the ledger against the chain's, at a final block that is booked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from settlement.chain.rail_abi import address_word, selector, word
from settlement.errors import ChainUnreachable, Invalid
from settlement.reconciliation import TieOut, TieOutRow, differing, tie_out
from tests.builders.rail import NOW, OPERATOR, Rail, a_rail
from tests.builders.reconciled import closed_breaks, open_breaks, reason_of

COIN = f"coin:{OPERATOR.address}"


class Skewed:
    """A chain that gives other answers to some calls, and says when it is asked."""

    def __init__(self, engine: Engine, chain: Any) -> None:
        self.engine, self.chain = engine, chain
        self.more: dict[str, int] = {}
        self.silent: set[str] = set()
        self.is_down = False
        self.asked = 0

    def call_many(self, calls: Sequence[tuple[str, str]], block_hash: str) -> list[str]:
        # While the chain is asked, no database transaction is open.
        assert self.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        self.asked += 1
        if self.is_down:
            raise ChainUnreachable("the node is down")
        answers = self.chain.call_many(calls, block_hash)
        for place, (to, data) in enumerate(calls):
            key = f"{to}{data}"
            if key in self.more:
                answers[place] = "0x" + word(int(answers[place], 16) + self.more[key])
            if key in self.silent:
                answers[place] = "0x"
        return list(answers)

    def coin_balances(self, holders: Sequence[str], block_hash: str) -> list[int]:
        found = self.chain.coin_balances(holders, block_hash)
        return [minor + self.more.get(h, 0) for h, minor in zip(holders, found, strict=True)]


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    """A rail with three payments that are final, matched and tied out."""
    with a_rail(engine, tmp_path) as made:
        worker = made.worker()
        made.instructed(3)
        made.settle_all(worker)
        made.tick(worker)
        yield made


@pytest.fixture
def skewed(rail: Rail) -> Skewed:
    return Skewed(rail.engine, rail.chain)


def _tie_out(rail: Rail, chain: Any = None, at: int | None = None) -> TieOut:
    return tie_out(rail.engine, chain or rail.chain, rail.now, at)


def _row(found: TieOut, subject: str) -> TieOutRow:
    (row,) = [row for row in found.rows if row.subject == subject]
    return row


def _balance_of(rail: Rail) -> tuple[str, str]:
    """The subject of the seller's wallet, and the call that asks for its balance."""
    call = rail.token() + selector("balanceOf(address)") + address_word(rail.seller_wallet)
    return f"wallet:{rail.seller_wallet}:TUSD", call


def test_wallets_supplies_and_coins_tie_at_a_final_block(rail: Rail) -> None:
    found = _tie_out(rail)

    final = rail.one("SELECT number, hash FROM cursor WHERE name = 'final'")
    tokens, wallets = len(rail.sandbox.deployment.tokens), len(rail.sandbox.wallets)
    assert found.ties
    assert differing(found) == []
    assert (found.block_number, found.block_hash) == tuple(final)
    assert len(found.rows) == tokens * (wallets + 1) + 1
    paid = 100_000 + 100_001 + 100_002
    seller = _row(found, f"wallet:{rail.seller_wallet}:TUSD")
    minted = seller.ledger_minor - paid * 10**4
    assert _row(found, f"wallet:{rail.buyer_wallet}:TUSD").ledger_minor == minted - paid * 10**4
    assert _row(found, "supply:TUSD").chain_minor == minted * wallets > 0
    assert 0 < _row(found, COIN).ledger_minor == _row(found, COIN).chain_minor
    assert open_breaks(rail.engine) == set()


def test_gas_money_is_booked_once_and_gas_is_spent_from_it(rail: Rail) -> None:
    funded = rail.rows("SELECT source_key, reason FROM journal_entry WHERE kind = 'funding'")
    _tie_out(rail)
    _tie_out(rail)

    assert len(funded) == 1
    assert funded == rail.rows(
        "SELECT source_key, reason FROM journal_entry WHERE kind = 'funding'"
    )
    assert rail.one("SELECT COUNT(*) FROM journal_entry WHERE kind = 'gas'") >= 1


def test_more_coins_than_booked_are_a_top_up_and_fewer_a_break(rail: Rail, skewed: Skewed) -> None:
    before = _row(_tie_out(rail), COIN).ledger_minor
    skewed.more[OPERATOR.address] = -5
    short = _tie_out(rail, skewed)
    skewed.more[OPERATOR.address] = 0
    _tie_out(rail, skewed)
    rail.controls.mine()
    rail.tick(rail.worker())
    skewed.more[OPERATOR.address] = 7
    topped_up = _tie_out(rail, skewed)

    assert _row(short, COIN).difference_minor == -5
    assert (_row(topped_up, COIN).ledger_minor, topped_up.ties) == (before + 7, True)
    assert open_breaks(rail.engine) == set()
    assert [found[:2] for found in closed_breaks(rail.engine)] == [("tie_out", COIN)]


def test_a_difference_that_no_column_holds_is_a_break_like_every_other(
    rail: Rail, skewed: Skewed
) -> None:
    subject, call = _balance_of(rail)
    skewed.more |= {OPERATOR.address: -(10**20), call: 1}

    found = _tie_out(rail, skewed)

    assert _row(found, COIN).difference_minor == -(10**20)
    told = rail.rows("SELECT subject, amount_minor, detail FROM settlement_break")
    assert {row.subject: row.amount_minor for row in told} == {COIN: None, subject: 1}
    assert any(f'"difference":"-{10**20}"' in row.detail for row in told)


def test_a_difference_is_a_break_until_it_ties_again(rail: Rail, skewed: Skewed) -> None:
    subject, call = _balance_of(rail)
    skewed.more[call] = 250

    first = _tie_out(rail, skewed)
    _tie_out(rail, skewed)
    is_open = open_breaks(rail.engine)
    skewed.more.clear()
    healed = _tie_out(rail, skewed)

    assert [(row.subject, row.difference_minor) for row in differing(first)] == [(subject, 250)]
    assert is_open == {("tie_out", subject)}
    assert f"at block {first.block_number} the chain has" in reason_of(rail.engine, subject)
    assert healed.ties
    assert closed_breaks(rail.engine) == {
        ("tie_out", subject, f"it ties at block {healed.block_number}")
    }


def test_a_supply_that_the_books_do_not_owe_is_a_break(rail: Rail, skewed: Skewed) -> None:
    skewed.more[rail.token() + selector("totalSupply()")] = -1

    _tie_out(rail, skewed)

    assert open_breaks(rail.engine) == {("tie_out", "supply:TUSD")}


def test_a_token_that_does_not_answer_is_a_break_and_no_zero(rail: Rail, skewed: Skewed) -> None:
    subject, call = _balance_of(rail)
    skewed.silent.add(call)

    found = _tie_out(rail, skewed)

    assert _row(found, subject).chain_minor is None
    assert _row(found, subject).difference_minor is None
    assert not found.ties
    assert open_breaks(rail.engine) == {("tie_out", subject)}


def test_a_deposit_that_nobody_instructed_ties_all_the_same(rail: Rail) -> None:
    stranger = rail.sandbox.wallets[2]
    transfer = selector("transfer(address,uint256)") + address_word(rail.seller_wallet) + word(5)
    rail.on_chain(stranger, rail.token(), bytes.fromhex(transfer[2:]))
    worker = rail.worker()
    for _round in range(13):
        rail.round(worker)
    rail.tick(worker)

    found = _tie_out(rail)

    assert found.ties
    assert {kind for kind, _subject in open_breaks(rail.engine)} == {"unattributed_deposit"}


def test_an_older_block_is_compared_and_leaves_the_breaks_alone(rail: Rail, skewed: Skewed) -> None:
    newest = _tie_out(rail).block_number
    assert newest is not None
    subject, call = _balance_of(rail)
    skewed.more[call] = 1

    older = _tie_out(rail, skewed, at=newest - 1)
    opened = rail.rows("SELECT id FROM settlement_break WHERE kind = 'tie_out'")
    tokens = [
        row.ties
        for number in range(newest - 6, newest + 1)
        for row in _tie_out(rail, at=number).rows
        if row.subject != COIN
    ]

    assert older.block_number == newest - 1
    assert subject in {row.subject for row in differing(older)}
    assert opened == []
    assert all(tokens)


def test_a_block_that_is_not_final_is_refused(rail: Rail) -> None:
    newest = _tie_out(rail).block_number
    assert newest is not None

    with pytest.raises(Invalid, match="not final") as refused:
        _tie_out(rail, at=newest + 1)

    assert refused.value.field == "block"
    with pytest.raises(Invalid, match="not known"):
        _tie_out(rail, at=-1)


def test_a_block_that_booking_has_not_passed_is_not_tied_out(rail: Rail) -> None:
    newest = _tie_out(rail).block_number
    place = rail.one("SELECT MAX(block_number) FROM receipt")
    rail.write("UPDATE receipt SET books = 'due' WHERE block_number = :number", number=place)

    waiting = _tie_out(rail)

    assert newest is not None and newest >= place
    assert waiting.block_number == place - 1


def test_nothing_is_written_when_the_node_does_not_answer(rail: Rail, skewed: Skewed) -> None:
    skewed.is_down = True
    before = rail.one("SELECT COUNT(*) FROM journal_entry")

    with pytest.raises(ChainUnreachable):
        _tie_out(rail, skewed)

    assert skewed.asked == 1
    assert rail.one("SELECT COUNT(*) FROM journal_entry") == before
    assert open_breaks(rail.engine) == set()


def test_before_the_first_block_there_is_nothing_to_tie_out(engine: Engine) -> None:
    found = tie_out(engine, Skewed(engine, None), NOW)

    assert found == TieOut(None, None, ())


@pytest.mark.parametrize("sign", ["received_low", "paid_low"])
def test_logs_that_add_up_to_something_else_are_a_break_though_the_chain_agrees(
    rail: Rail, sign: str
) -> None:
    subject, _call = _balance_of(rail)
    rail.write(
        f"UPDATE transfer_sum SET {sign} = {sign} + 1 WHERE holder = :holder AND token = :token",
        holder=rail.seller_wallet,
        token=rail.token(),
    )

    found = _tie_out(rail)
    older = _tie_out(rail, at=found.block_number)

    off = _row(found, subject)
    assert off.chain_minor == off.ledger_minor
    assert off.difference_minor == (1 if sign == "received_low" else -1)
    assert open_breaks(rail.engine) == {("tie_out", subject)}
    assert "the logs add up to" in reason_of(rail.engine, subject)
    assert _row(older, subject).difference_minor == off.difference_minor


def test_an_older_block_is_added_up_from_the_logs_themselves(rail: Rail) -> None:
    newest = _tie_out(rail).block_number
    assert newest is not None
    rail.write("UPDATE transfer_sum SET received_low = received_low + 1")

    older = _tie_out(rail, at=newest - 1)

    assert [row.subject for row in differing(older)] in ([], [COIN])
    supply = _row(older, "supply:TUSD")
    assert (supply.received_minor, supply.paid_minor) == (supply.ledger_minor, 0)
    seller, buyer = (
        _row(older, f"wallet:{wallet}:TUSD") for wallet in (rail.seller_wallet, rail.buyer_wallet)
    )
    paid = 300_003 * 10**4
    assert (buyer.received_minor, buyer.paid_minor) == (supply.ledger_minor // 3, paid)
    assert (seller.received_minor, seller.paid_minor) == (supply.ledger_minor // 3 + paid, 0)
