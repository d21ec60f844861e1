"""Posting: balanced, chained, once per source, with the sums kept."""

import hashlib
import json
import threading

import pytest
from sqlalchemy import Engine, text

from settlement import ledger
from settlement.clock import to_micros
from settlement.ledger import Line
from settlement.ledger.accounts import CodeUnknown
from settlement.store import reading, transaction
from tests.builders.ledger import (
    BUYER,
    BUYER_WALLET,
    NOW,
    OPERATOR,
    SELLER,
    SELLER_WALLET,
    TOKEN,
    a_payment,
    a_reservation,
    a_source,
    an_acceptance,
    seed_parties,
    two_lines,
)


def test_an_entry_and_its_lines_are_stored_as_given(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_parties(session)
        posted = ledger.post(session, [an_acceptance("inv_7", 1200)], NOW)

    with reading(engine) as session:
        entry = session.execute(text("SELECT * FROM journal_entry")).mappings().one()
        lines = session.execute(
            text(
                "SELECT a.code, p.line, p.phase, p.amount_minor FROM posting p"
                " JOIN account a ON a.id = p.account_id ORDER BY p.line"
            )
        ).all()
    assert posted == 1
    assert (entry["seq"], entry["kind"], entry["source_key"]) == (1, "accept", "accept:inv_7")
    assert (entry["invoice_id"], entry["settlement_id"]) == ("inv_7", None)
    assert (entry["value_date"], entry["booked_at"]) == ("2026-11-23", to_micros(NOW))
    assert [tuple(line) for line in lines] == [
        (f"receivable:{SELLER}:USD", 0, "posted", 1200),
        (f"sales:{SELLER}:USD", 1, "posted", -1200),
        (f"purchases:{BUYER}:USD", 2, "posted", 1200),
        (f"payable:{BUYER}:USD", 3, "posted", -1200),
    ]


def test_the_hash_is_the_documented_one(engine: Engine) -> None:
    reason = 'a "quoted" reason,\nwith ü, a tab\t and \\'
    with transaction(engine) as session:
        ledger.post(session, [two_lines()._replace(reason=reason), an_acceptance()], NOW)

    with reading(engine) as session:
        rows = session.execute(text("SELECT * FROM journal_entry ORDER BY seq")).mappings().all()
        lines = session.execute(
            text(
                "SELECT p.entry_seq, a.code, p.phase, p.amount_minor FROM posting p"
                " JOIN account a ON a.id = p.account_id ORDER BY p.entry_seq, p.line"
            )
        ).all()
    prev_hash = "0" * 64
    for row in rows:
        fields = [
            "seq",
            "kind",
            "source_key",
            "invoice_id",
            "settlement_id",
            "block_number",
            "block_hash",
            "tx_hash",
            "reverses_seq",
            "reason",
            "value_date",
            "booked_at",
        ]
        parts = [prev_hash, *(row[name] for name in fields)]
        parts.append([list(line[1:]) for line in lines if line[0] == row["seq"]])
        canonical = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
        assert row["prev_hash"] == prev_hash
        assert row["hash"] == hashlib.sha256(canonical.encode()).hexdigest()
        prev_hash = row["hash"]


def test_a_second_run_posts_nothing(engine: Engine) -> None:
    wanted = [an_acceptance("inv_1"), an_acceptance("inv_2")]
    with transaction(engine) as session:
        ledger.post(session, wanted, NOW)

    with transaction(engine) as session:
        again = ledger.post(session, [*wanted, an_acceptance("inv_3")], NOW)
        twice_in_one = ledger.post(session, [an_acceptance("inv_4")] * 2, NOW)

    with reading(engine) as session:
        verdict = ledger.verify_chain(session)
        held = ledger.balances(session, [f"receivable:{SELLER}:USD"])
    assert (again, twice_in_one) == (1, 1)
    assert verdict.head.seq == 4
    assert held == {f"receivable:{SELLER}:USD": 4 * 1200}


@pytest.mark.parametrize(
    "lines",
    [
        (Line("outside:TUSD", 5), Line("suspense:outside:TUSD", -4)),
        (Line("outside:TUSD", 5, "pending"), Line("suspense:outside:TUSD", -4, "pending")),
        # Zero over all units, but in none of them.
        (Line("outside:TUSD", 5), Line("outside:TEUR", -5)),
        # Zero over both phases, but in neither.
        (Line("outside:TUSD", 5), Line("outside:TUSD", -5, "pending")),
    ],
)
def test_an_unbalanced_entry_is_refused_and_nothing_is_written(
    engine: Engine, lines: tuple[Line, ...]
) -> None:
    with (
        pytest.raises(ledger.Unbalanced, match="out of balance by"),
        transaction(engine) as session,
    ):
        ledger.post(session, [an_acceptance(), two_lines()._replace(lines=lines)], NOW)

    with reading(engine) as session:
        assert ledger.head(session).seq == 0
        assert session.execute(text("SELECT count(*) FROM posting")).scalar() == 0


@pytest.mark.parametrize("code", ["purse:x:TUSD", "wallet:TUSD", "wallet::TUSD", "outside", ""])
def test_a_code_that_is_no_account_is_refused(engine: Engine, code: str) -> None:
    entry = two_lines()._replace(lines=(Line(code, 5), Line(code, -5)))

    with pytest.raises(CodeUnknown), transaction(engine) as session:
        ledger.post(session, [entry], NOW)


def test_an_account_knows_kind_owner_and_unit(engine: Engine) -> None:
    source = a_source()
    with transaction(engine) as session:
        seed_parties(session)
        mint = ledger.entries.mint(
            ledger.Side(SELLER_WALLET, SELLER),
            token=TOKEN,
            symbol="TUSD",
            minor=5,
            log_index=1,
            source=source,
        )
        outside = ledger.entries.transfer(
            ledger.Side(BUYER_WALLET, BUYER),
            ledger.Side("0x" + "99" * 20, None),
            symbol="TUSD",
            minor=5,
            log_index=2,
            source=source,
        )
        ledger.post(session, [mint, outside, ledger.entries.gas(OPERATOR, 7, source)], NOW)

    with reading(engine) as session:
        rows = session.execute(text("SELECT code, kind, owner, unit FROM account")).all()
    assert {tuple(row) for row in rows} == {
        (f"wallet:{SELLER_WALLET}:TUSD", "wallet", SELLER, "TUSD"),
        (f"wallet:{BUYER_WALLET}:TUSD", "wallet", BUYER, "TUSD"),
        (f"liability:{TOKEN}:TUSD", "liability", TOKEN, "TUSD"),
        ("outside:TUSD", "outside", "outside", "TUSD"),
        ("suspense:outside:TUSD", "suspense", "outside", "TUSD"),
        (f"suspense:{BUYER}:TUSD", "suspense", BUYER, "TUSD"),
        (f"gas:{OPERATOR}:WEI", "gas", OPERATOR, "WEI"),
        (f"coin:{OPERATOR}:WEI", "coin", OPERATOR, "WEI"),
    }


def test_a_transfer_of_nothing_is_an_entry_without_lines(engine: Engine) -> None:
    sides = ledger.Side(BUYER_WALLET, BUYER), ledger.Side(SELLER_WALLET, SELLER)
    nothing = ledger.entries.transfer(
        *sides, symbol="TUSD", minor=0, log_index=4, source=a_source()
    )

    with transaction(engine) as session:
        ledger.post(session, [nothing], NOW)

    with reading(engine) as session:
        assert ledger.verify_chain(session).head.seq == 1
        assert session.execute(text("SELECT count(*) FROM posting")).scalar() == 0


def test_a_payment_moves_claim_and_tokens_through_par(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_parties(session)
        ledger.post(session, [an_acceptance("inv_1", 1200)], NOW)
        ledger.reserve(session, [a_reservation(1, 12_000_000)], NOW)
        release = ledger.releases(session, ["stl_1"])["stl_1"]
        ledger.post(session, [a_payment(1, 12_000_000, release=release)], NOW)

    with reading(engine) as session:
        rows = {row.code: row for row in ledger.trial_balance(session).rows}
        assert ledger.trial_balance(session).is_balanced
    assert {code: row.posted_minor for code, row in rows.items()} == {
        f"receivable:{SELLER}:USD": 0,
        f"sales:{SELLER}:USD": -1200,
        f"purchases:{BUYER}:USD": 1200,
        f"payable:{BUYER}:USD": 0,
        f"wallet:{SELLER_WALLET}:TUSD": 12_000_000,
        f"par:{SELLER}:TUSD": -12_000_000,
        f"par:{SELLER}:USD": 1200,
        f"wallet:{BUYER_WALLET}:TUSD": -12_000_000,
        f"par:{BUYER}:TUSD": 12_000_000,
        f"par:{BUYER}:USD": -1200,
    }
    assert all(row.pending_minor == 0 for row in rows.values())


def test_more_coins_than_63_bits_hold_are_booked_and_added_up(engine: Engine) -> None:
    wei = 10_000 * 10**18
    funded = ledger.entries.funding(OPERATOR, wei, a_source(), "found at deployment")
    spent = ledger.entries.gas(OPERATOR, 21_000 * 10**9, a_source(11))

    with transaction(engine) as session:
        ledger.post(session, [funded, spent], NOW)

    coin = f"coin:{OPERATOR}:WEI"
    with reading(engine) as session:
        assert ledger.balances(session, [coin])[coin] == wei - 21_000 * 10**9
        assert ledger.balances(session, [coin], at_block=10)[coin] == wei
        assert ledger.trial_balance(session).is_balanced


def test_parallel_posters_make_one_chain(engine: Engine) -> None:
    def post_some(place: int) -> None:
        for number in range(5):
            with transaction(engine) as session:
                ledger.post(session, [an_acceptance(f"inv_{place}_{number}")], NOW)

    threads = [threading.Thread(target=post_some, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with reading(engine) as session:
        verdict = ledger.verify_chain(session)
        assert verdict.holds
        assert verdict.head.seq == 20
        assert ledger.trial_balance(session).is_balanced
