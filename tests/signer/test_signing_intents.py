"""The signer signs what live clearances cover, to the letter, and nothing else."""

from typing import Any

import pytest

from settlement.chain.rail_abi import PaymentTerms, settle_calldata
from settlement.chain.signing import KeyPair, read_eip1559
from settlement.clock import to_micros
from settlement.compliance import clearance
from settlement.signer import Refusal, Signature, SigningRequest
from settlement.store import transaction
from tests.builders.rail import OPERATOR, Rail
from tests.signer.asking import GWEI, ask, claimed_batch


@pytest.fixture
def claimed(rail: Rail) -> str:
    """A chain transaction of two payments that is claimed and not signed."""
    return claimed_batch(rail)


def _refusal(rail: Rail, key: str, **changes: Any) -> Refusal:
    answer = ask(rail, key, **changes)
    assert isinstance(answer, Refusal), answer
    return answer


def test_what_is_cleared_is_signed_as_it_is_stored(rail: Rail, claimed: str) -> None:
    answer = ask(rail, claimed)

    assert isinstance(answer, Signature)
    signed = read_eip1559(answer.raw)
    stored = rail.one("SELECT * FROM chain_tx")
    assert (signed.hash, signed.sender, signed.nonce) == (answer.hash, OPERATOR.address, 0)
    assert (signed.to, signed.data) == (stored.to_address, bytes(stored.calldata))
    assert (signed.chain_id, signed.value, signed.gas_limit) == (31337, 0, stored.gas_limit)
    assert (signed.max_fee_wei, signed.max_priority_fee_wei) == (3 * GWEI, GWEI)


def test_the_same_request_gives_the_same_bytes_and_a_higher_bid_others(
    rail: Rail, claimed: str
) -> None:
    signer = rail.signer()
    first, again = (ask(rail, claimed, signer=signer) for _ in range(2))
    higher = ask(rail, claimed, signer=signer, max_fee_wei=4 * GWEI, priority_fee_wei=2 * GWEI)

    assert first == again
    assert isinstance(higher, Signature) and isinstance(first, Signature)
    assert read_eip1559(higher.raw).data == read_eip1559(first.raw).data
    assert higher.hash != first.hash


def test_a_cancel_is_a_payment_of_nothing_to_itself(rail: Rail, claimed: str) -> None:
    answer = ask(rail, claimed, as_cancel=True)

    assert isinstance(answer, Signature)
    signed = read_eip1559(answer.raw)
    assert (signed.to, signed.data, signed.value) == (OPERATOR.address, b"", 0)
    assert (signed.nonce, signed.gas_limit) == (0, 21_000)


TAMPERED = {
    "no clearance allows it": (
        "UPDATE clearance SET outcome = 'HOLD' WHERE settlement_id = :one", "no clearance"),
    "debtor": ("UPDATE clearance SET debtor_wallet = '0x11' WHERE settlement_id = :one",
               "other terms"),
    "creditor": ("UPDATE clearance SET creditor_wallet = '0x11' WHERE settlement_id = :one",
                 "other terms"),
    "token": ("UPDATE clearance SET token = '0x11' WHERE settlement_id = :one", "other terms"),
    "amount": ("UPDATE clearance SET amount_minor = 7 WHERE settlement_id = :one", "other terms"),
    "reference": ("UPDATE clearance SET reference = '0x11' WHERE settlement_id = :one",
                  "other terms"),
    "settlement": ("UPDATE clearance SET settlement_id = :two WHERE settlement_id = :one",
                   "other terms"),
    "rail": ("UPDATE settlement SET rail = '0x11' WHERE id = :one", "other terms"),
    "amount on both": (
        "UPDATE settlement SET amount_minor = 7, creditor_wallet = debtor_wallet || '0'"
        " WHERE id = :one", "other terms"),
    "sequence": ("UPDATE settlement SET sequence = 77 WHERE id = :one",
                 "does not commit to its terms"),
    "document": ("UPDATE settlement SET document_sha256 = :hash WHERE id = :one",
                 "does not commit to its terms"),
    "calldata": ("UPDATE chain_tx SET calldata = :data", "not what its members say"),
    "deadline": ("UPDATE chain_tx SET deadline = deadline - 1", "not what its members say"),
    "later deadline": ("UPDATE chain_tx SET deadline = deadline + 1", "before the deadline"),
    "other contract": ("UPDATE chain_tx SET to_address = '0x11'", "only payments through the rail"),
    "kind": ("UPDATE chain_tx SET kind = 'admin'", "only payments through the rail"),
    "a member gone": ("UPDATE batch_member SET live = false WHERE settlement_id = :one",
                      "1 of 2 members"),
    "gas": ("UPDATE chain_tx SET gas_limit = 99999999", "gas is outside"),
    "lane": ("UPDATE chain_tx SET signer = :lane", "belongs to the lane"),
}  # fmt: skip


def test_whatever_was_changed_behind_its_back_is_refused(rail: Rail, claimed: str) -> None:
    one, two = (row.id for row in rail.rows("SELECT id FROM settlement ORDER BY id"))
    rail.write("INSERT INTO lane (signer, next_nonce, lease_fence, lease_until, state)"
               " VALUES ('0xother', 0, 0, 0, 'active')")  # fmt: skip
    values = {"one": one, "two": two, "hash": "ab" * 32, "data": b"\x01", "lane": "0xother"}
    signer = rail.signer()
    tables = ("clearance", "settlement", "chain_tx", "batch_member")
    for name, (change, words) in TAMPERED.items():
        before = {table: rail.rows(f"SELECT * FROM {table}") for table in tables}
        rail.write(change, **{key: v for key, v in values.items() if f":{key}" in change})

        refusal = _refusal(rail, claimed, signer=signer)

        assert words in refusal.reason, name
        assert not refusal.ended, name
        _put_back(rail, before)
    assert isinstance(ask(rail, claimed, signer=signer), Signature), "all was put back"


def _put_back(rail: Rail, before: dict[str, list[Any]]) -> None:
    for table, rows in before.items():
        for row in rows:
            values = row._asdict()
            if values.get("calldata") is not None:
                values["calldata"] = bytes(values["calldata"])
            keys = [key for key in ("id", "chain_tx_id", "position") if key in values]
            keys = ["id"] if "id" in values else keys
            sets = ", ".join(f"{column} = :{column}" for column in values if column not in keys)
            where = " AND ".join(f"{key} = :{key}" for key in keys)
            rail.write(f"UPDATE {table} SET {sets} WHERE {where}", **values)


def test_a_revoked_clearance_is_refused_as_ended(rail: Rail, claimed: str) -> None:
    key = rail.rows("SELECT id FROM settlement ORDER BY id")[1].id
    with transaction(rail.engine) as session:
        clearance.revoke(session, [key], rail.now)

    refusal = _refusal(rail, claimed)

    assert refusal.ended and "revoked" in refusal.reason
    assert isinstance(ask(rail, claimed, as_cancel=True), Signature)


@pytest.mark.parametrize("side", ["debtor_wallet", "creditor_wallet"])
@pytest.mark.parametrize(
    ("contract", "wanted", "actual"), [("rail", "unlisted", "listed"), ("token", "frozen", "free")]
)
def test_whoever_is_to_be_stopped_is_not_paid_under_a_clearance_that_still_lives(
    rail: Rail, claimed: str, side: str, contract: str, wanted: str, actual: str
) -> None:
    key = rail.rows("SELECT id FROM settlement ORDER BY id")[1].id
    place = f"(SELECT {{}} FROM settlement WHERE id = '{key}')"
    rail.write("DELETE FROM registry_standing")
    rail.write(
        "INSERT INTO registry_standing (wallet, contract, wanted, actual, since)"
        f" VALUES ({place.format(side)}, {place.format(contract)}, '{wanted}', '{actual}', 0)"
    )

    refusal = _refusal(rail, claimed)

    assert refusal.ended and "to be unlisted or frozen" in refusal.reason
    assert isinstance(ask(rail, claimed, as_cancel=True), Signature)


def test_an_expired_clearance_is_refused_as_ended(rail: Rail, claimed: str) -> None:
    signer = rail.signer()
    deadline = rail.one("SELECT deadline FROM chain_tx WHERE id = :key", key=claimed)
    rail.later(int(deadline - rail.now.timestamp()))  # To the second: the chain takes it no more.

    assert _refusal(rail, claimed, signer=signer).ended
    assert "deadline has passed" in _refusal(rail, claimed, signer=signer).reason


def test_expiry_counts_also_where_only_one_clearance_is_short(rail: Rail, claimed: str) -> None:
    key = rail.rows("SELECT id FROM settlement ORDER BY id")[1].id
    rail.write("UPDATE clearance SET expires_at = :at WHERE settlement_id = :id",
               at=to_micros(rail.now), id=key)  # fmt: skip

    assert "before the deadline" in _refusal(rail, claimed).reason


def test_fees_outside_the_limit_are_refused(rail: Rail, claimed: str) -> None:
    signer = rail.signer()
    for max_fee, tip in ((501 * GWEI, GWEI), (GWEI, 2 * GWEI), (GWEI, 0), (0, 0), (-1, -1)):
        fees = {"max_fee_wei": max_fee, "priority_fee_wei": tip}

        assert "limit" in _refusal(rail, claimed, signer=signer, **fees).reason
        assert "limit" in _refusal(rail, claimed, signer=signer, as_cancel=True, **fees).reason


def test_another_key_signs_nothing_of_this_lane(rail: Rail, claimed: str) -> None:
    stranger = rail.signer(keys=KeyPair.of(b"\x33" * 32), slots="other.sqlite3")

    assert "belongs to the lane" in _refusal(rail, claimed, signer=stranger).reason


def test_what_is_not_stored_is_refused(rail: Rail, claimed: str) -> None:
    assert "no such chain transaction" in _refusal(rail, "ctx_nowhere").reason


def test_a_nonce_never_carries_a_second_content(rail: Rail, claimed: str) -> None:
    """The database says another batch, cleared in every way: the signer remembers the first."""
    signer = rail.signer()
    assert isinstance(ask(rail, claimed, signer=signer), Signature)
    one = rail.rows("SELECT settlement_id FROM batch_member ORDER BY position")[0].settlement_id
    rail.write("UPDATE batch_member SET live = false WHERE settlement_id = :id", id=one)
    row = rail.one(
        "SELECT s.*, c.deadline FROM settlement s JOIN chain_tx c ON c.id = s.chain_tx_id"
        " WHERE s.id <> :id",
        id=one,
    )
    terms = PaymentTerms(row.sequence, row.creditor_wallet, row.amount_minor, row.reference)
    call = settle_calldata(
        token=row.token, debtor=row.debtor_wallet, deadline=row.deadline, payments=[terms]
    )
    rail.write("UPDATE chain_tx SET member_count = 1, calldata = :call", call=call)

    refusal = _refusal(rail, claimed, signer=signer)

    assert "signed with other content" in refusal.reason and not refusal.ended


def test_after_a_cancel_the_payment_is_never_signed_again(rail: Rail, claimed: str) -> None:
    signer = rail.signer()
    ask(rail, claimed, signer=signer, as_cancel=True)

    assert "has been cancelled" in _refusal(rail, claimed, signer=signer).reason
    assert isinstance(ask(rail, claimed, signer=signer, as_cancel=True), Signature)


def test_one_bad_request_does_not_spoil_the_others(rail: Rail, claimed: str) -> None:
    requests = [
        SigningRequest("ctx_nowhere", GWEI, 1),
        SigningRequest(claimed, 3 * GWEI, GWEI),
        SigningRequest(claimed, 900 * GWEI, GWEI),
    ]

    answers = rail.signer().sign(requests, rail.now)

    assert [type(each) for each in answers] == [Refusal, Signature, Refusal]
