"""The memory of a signer: one content a nonce, amounts of a day exact, nothing forgotten."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from settlement.signer.slots import MemoryUnusable, SlotStore, Spending, Taken, Wanted

DAY, NEXT_DAY = "2026-11-20", "2026-11-21"
TOKEN, OTHER_TOKEN = "0xt1", "0xt2"
CANCEL = ""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SlotStore]:
    made = SlotStore(tmp_path / "slots.sqlite3")
    yield made
    made.close()


def _wanted(nonce: int, content: str = "one", fee: int = 100, tip: int = 10) -> Wanted:
    return Wanted(nonce, content, fee, tip)


def _paying(
    nonce: int, minor: int, *, token: str = TOKEN, debtor: str = "0xd1", most: int = 100,
    debtor_most: int = 100, fee: int = 100,
) -> Wanted:  # fmt: skip
    spending = Spending(token, debtor, minor, most, debtor_most)
    return Wanted(nonce, f"content {nonce}", fee, fee, spending)


def _take(store: SlotStore, *wanted: Wanted, signer: str = "0xa", day: str = DAY) -> list[bool]:
    """Whether each was taken."""
    return [isinstance(each, Taken) for each in store.take(signer, wanted, day)]


def test_a_nonce_has_one_content_or_a_cancel_and_then_only_the_cancel(store: SlotStore) -> None:
    assert _take(store, _wanted(0), _wanted(1), _wanted(2, CANCEL)) == [True, True, True]

    assert _take(store, _wanted(0), _wanted(0, "other")) == [True, False]
    assert _take(store, _wanted(1, CANCEL), _wanted(1), _wanted(1, CANCEL)) == [True, False, True]
    assert _take(store, _wanted(2, "three"), _wanted(2, CANCEL)) == [False, True]
    assert _take(store, _wanted(0, "other"), signer="0xb") == [True], "another signer's nonces"
    assert (store.highest("0xa"), store.highest("0xc")) == (2, None)


def test_all_of_it_survives_a_new_start(tmp_path: Path) -> None:
    path = tmp_path / "slots.sqlite3"
    first = SlotStore(path)
    paid, cancelled = _paying(0, 60), _wanted(1, CANCEL)
    taken = first.take("0xa", [paid, cancelled], DAY)
    first.keep("0xa", [(paid, taken[0], b"signed")])  # type: ignore[list-item]
    first.pinned("chain", "1")
    first.close()

    again = SlotStore(path)

    assert again.take("0xa", [paid], DAY) == [Taken(100, 100, b"signed")]
    assert _take(again, _wanted(0, "other"), _wanted(1)) == [False, False]
    assert _take(again, _paying(2, 41), _paying(2, 40)) == [False, True]
    assert again.pinned("chain", "2") == "1"
    again.close()


@pytest.mark.parametrize(
    ("fee", "tip", "signed"),
    [(113, 12, (113, 12)), (112, 12, (100, 10)), (113, 11, (100, 10)), (100, 10, (100, 10)),
     (50, 5, (100, 10)), (1000, 10, (100, 10)), (1000, 999, (1000, 999))],
)  # fmt: skip
def test_a_new_bid_is_an_eighth_higher_on_both_fees_or_the_last_one_holds(
    store: SlotStore, fee: int, tip: int, signed: tuple[int, int]
) -> None:
    store.take("0xa", [_wanted(0)], DAY)

    (taken,) = store.take("0xa", [_wanted(0, fee=fee, tip=tip)], DAY)

    assert taken == Taken(*signed, None)
    assert store.take("0xa", [_wanted(0, fee=1, tip=1)], DAY) == [taken], "the last is remembered"


def test_a_bid_of_an_eighth_more_to_the_wei_is_enough(store: SlotStore) -> None:
    store.take("0xa", [_wanted(0, fee=800, tip=80)], DAY)

    assert store.take("0xa", [_wanted(0, fee=900, tip=90)], DAY) == [Taken(900, 90, None)]


def test_a_cancel_is_not_bound_to_the_fees_of_what_it_cancels(store: SlotStore) -> None:
    store.take("0xa", [_wanted(0, fee=1000, tip=100)], DAY)

    (cancel,) = store.take("0xa", [_wanted(0, CANCEL, fee=500, tip=1)], DAY)
    (higher,) = store.take("0xa", [_wanted(0, CANCEL, fee=501, tip=2)], DAY)

    assert cancel == higher == Taken(500, 1, None)


def test_the_first_signature_holds_whatever_comes_later(store: SlotStore) -> None:
    wanted = _wanted(0)
    (taken,) = store.take("0xa", [wanted], DAY)
    assert isinstance(taken, Taken)

    first, second = (store.keep("0xa", [(wanted, taken, each)])[0] for each in (b"one", b"two"))

    assert (first, second) == (b"one", b"one")
    assert store.take("0xa", [wanted], DAY) == [Taken(100, 10, b"one")]


def test_a_days_amount_holds_to_the_unit(store: SlotStore) -> None:
    assert _take(store, _paying(0, 60), _paying(1, 41), _paying(2, 40), _paying(3, 1)) == [
        True, False, True, False,
    ]  # fmt: skip
    assert store.spent(DAY, TOKEN) == 100
    assert _take(store, _paying(1, 100, token=OTHER_TOKEN)) == [True], "another token's amounts"
    assert _take(store, _paying(4, 100), day=NEXT_DAY) == [True], "another day's amounts"


def test_a_debtor_has_amounts_of_its_own(store: SlotStore) -> None:
    one, two = (
        [_paying(nonce, minor, debtor=debtor, most=100, debtor_most=60) for nonce, minor in some]
        for debtor, some in (("0xd1", [(0, 60), (1, 1)]), ("0xd2", [(2, 41), (3, 40)]))
    )

    assert _take(store, *one) == [True, False]
    assert _take(store, *two) == [False, True], "both together stay within the day's amount"
    assert (store.spent(DAY, TOKEN, "0xd1"), store.spent(DAY, TOKEN, "0xd2")) == (60, 40)


def test_the_same_nonce_counts_once_however_often_and_high_it_is_asked_for(
    store: SlotStore,
) -> None:
    asked = [_paying(0, 60, fee=fee) for fee in (100, 100, 200, 400, 1)]

    assert _take(store, *asked) == [True] * 5
    assert _take(store, _paying(0, 60), day=NEXT_DAY) == [True]

    assert (store.spent(DAY, TOKEN), store.spent(NEXT_DAY, TOKEN)) == (60, 0)


def test_a_cancel_gives_nothing_back(store: SlotStore) -> None:
    assert _take(store, _paying(0, 60), _wanted(0, CANCEL), _paying(1, 41)) == [True, True, False]

    assert store.spent(DAY, TOKEN) == 60


def test_what_is_refused_leaves_the_nonce_free_and_counts_nothing(store: SlotStore) -> None:
    assert _take(store, _paying(0, 101)) == [False]

    assert (store.highest("0xa"), store.spent(DAY, TOKEN)) == (None, 0)
    assert _take(store, _paying(0, 101), day=NEXT_DAY) == [False]
    assert _take(store, _paying(0, 100)) == [True]


def test_amounts_hold_under_parallel_requests_of_several_signers(tmp_path: Path) -> None:
    """Eight of them, each with a connection of its own, want forty times 3 of 100."""
    path = tmp_path / "slots.sqlite3"
    stores = [SlotStore(path) for _ in range(8)]

    def ask(number: int) -> bool:
        mine = stores[number % 8]
        return _take(mine, _paying(number, 3), signer=f"0x{number % 8}") == [True]

    with ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(ask, range(40)))

    assert sum(allowed) == 33
    assert stores[0].spent(DAY, TOKEN) == 99
    for each in stores:
        each.close()


def test_amounts_hold_where_threads_share_one_memory(store: SlotStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(lambda n: _take(store, _paying(n % 20, 7)), range(80)))

    assert allowed.count([True]) == 4 * 14, "each nonce as often as it is asked for"
    assert store.spent(DAY, TOKEN) == 98


def test_a_failed_write_leaves_nothing(store: SlotStore, tmp_path: Path) -> None:
    with pytest.raises(AttributeError):
        store.take("0xa", [_paying(0, 60), None], DAY)  # type: ignore[list-item]

    assert (store.highest("0xa"), store.spent(DAY, TOKEN)) == (None, 0)


def test_a_memory_that_cannot_be_written_signs_nothing(store: SlotStore, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "slots.sqlite3")
    other.execute("DROP TABLE bid")

    with pytest.raises(MemoryUnusable, match="no such table"):
        store.take("0xa", [_paying(0, 60)], DAY)

    assert store.spent(DAY, TOKEN) == 0
    other.close()


def test_a_memory_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "slots.sqlite3"
    path.write_bytes(b"this is something else entirely" * 100)

    with pytest.raises(MemoryUnusable, match="not a database"):
        SlotStore(path)


def test_a_memory_whose_file_is_gone_signs_nothing_until_it_is_back(
    store: SlotStore, tmp_path: Path
) -> None:
    file, away = tmp_path / "slots.sqlite3", tmp_path / "away"
    file.rename(away)

    with pytest.raises(MemoryUnusable, match="deleted, moved or replaced"):
        store.take("0xa", [_paying(0, 60)], DAY)

    away.rename(file)
    assert store.spent(DAY, TOKEN) == 0
    assert _take(store, _paying(0, 60)) == [True]


def test_only_its_owner_may_read_the_memory(store: SlotStore, tmp_path: Path) -> None:
    assert (tmp_path / "slots.sqlite3").stat().st_mode & 0o077 == 0
