"""A signer that is away, slow or killed: intents wait, nothing is lost, and it is said clearly."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.worker import Worker
from settlement.chain.signing import read_eip1559
from settlement.signer import Refusal, Signature, SigningRequest
from settlement.signer.socket import SignerUnreachable, SocketSigner, serve
from tests.builders.rail import NOW, OPERATOR, Rail
from tests.signer.asking import GWEI, ask, claimed_batch


class Crash(BaseException):
    """The process ends here."""


class Crashing:
    """A signer whose worker is killed before its answer is stored, as often as is said."""

    def __init__(self, inner: Any, crashes: int) -> None:
        self.inner, self.crashes = inner, crashes
        self.address = inner.address
        self.made: list[str] = []

    def signed_through(self) -> int | None:
        return self.inner.signed_through()

    def sign(self, requests: Sequence[SigningRequest], now: datetime) -> list[Signature | Refusal]:
        answers = self.inner.sign(requests, now)
        self.made += [each.hash for each in answers]
        if self.crashes:
            self.crashes -= 1
            raise Crash
        return answers


@contextmanager
def _served(rail: Rail, path: Path) -> Iterator[None]:
    server = serve(rail.signer(), path, lambda: rail.now)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        path.unlink()


def _known(path: Path) -> SocketSigner:
    """A signer's client that has learnt the address while its process was there."""
    signer = SocketSigner(path)
    signer._address = OPERATOR.address
    return signer


def _round_in_trouble(rail: Rail, worker: Worker) -> str:
    """A tick that says what its lane lacks, and then a block."""
    with pytest.raises(SignerUnreachable) as trouble:
        rail.tick(worker)
    rail.controls.mine()
    return str(trouble.value)


def test_while_the_signer_is_away_what_is_stored_goes_on_being_sent(
    rail: Rail, tmp_path: Path
) -> None:
    path = tmp_path / "signer.sock"
    worker = rail.worker(signer=_known(path))
    keys = rail.instructed(1)
    with _served(rail, path):
        rail.tick(worker)
    assert rail.state(keys[0]) == "SUBMITTED"
    rail.controls.drop_all()
    keys += rail.instructed(1)

    for _ in range(rail.settings.resend_after_blocks + 2):
        _round_in_trouble(rail, worker)

    assert rail.state(keys[0]) in ("CONFIRMING", "BOOKED")
    assert rail.state(keys[1]) == "CLAIMED"


def test_while_the_signer_is_away_intents_queue_and_nothing_is_lost(
    rail: Rail, tmp_path: Path
) -> None:
    path = tmp_path / "signer.sock"
    worker = rail.worker(signer=_known(path))
    keys = rail.instructed(2)

    told = [_round_in_trouble(rail, worker) for _ in range(3)]

    assert told == [f"the signer at {path} does not answer"] * 3
    assert set(rail.states().values()) == {"CLAIMED"}
    assert rail.one("SELECT COUNT(*) FROM attempt") == 0
    assert rail.lane().state == "active", "this passes by itself"
    keys += rail.instructed(1)
    with _served(rail, path):
        rail.settle_all(worker)
    assert {rail.state(key) for key in keys} == {"SETTLED"}
    assert rail.lane().next_nonce == rail.one("SELECT COUNT(*) FROM chain_tx"), "no gap"


def test_while_the_signer_is_away_what_it_signed_is_followed_to_its_end(
    rail: Rail, tmp_path: Path
) -> None:
    path = tmp_path / "signer.sock"
    worker = rail.worker(signer=_known(path))
    with _served(rail, path):
        (key,) = rail.instructed(1)
        rail.tick(worker)
    (later,) = rail.instructed(1)

    for _ in range(10):
        _round_in_trouble(rail, worker)

    assert (rail.state(key), rail.state(later)) == ("SETTLED", "CLAIMED")


def test_a_signer_that_never_answers_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "slow.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        with pytest.raises(SignerUnreachable, match="does not answer"):
            SocketSigner(path, timeout_seconds=0.2).sign([SigningRequest("a", 1, 1)], NOW)


def test_a_nonce_that_was_claimed_and_not_signed_stays_with_the_same_intent(rail: Rail) -> None:
    key = claimed_batch(rail)
    before = rail.rows("SELECT id, nonce FROM chain_tx")

    rail.settle_all(rail.worker("next"))

    assert rail.rows("SELECT id, nonce FROM chain_tx") == before
    assert before[0].id == key
    assert rail.one("SELECT COUNT(*) FROM attempt") == 1


def test_what_was_signed_and_not_stored_is_signed_again_to_the_same_hash(rail: Rail) -> None:
    """Also where the base fee has moved in between, so that other fees are asked for."""
    signer = Crashing(rail.signer(), crashes=3)
    rail.tick(rail.worker("first", signer=rail.signer()))
    rail.instructed(2)

    for owner in ("one", "two", "three"):
        rail.let_go()
        with pytest.raises(Crash):
            rail.tick(rail.worker(owner, signer=signer))
        assert rail.one("SELECT COUNT(*) FROM attempt") == 0
        assert rail.chain.nonce(OPERATOR.address) == 0, "nothing was sent"
        rail.controls.set_next_base_fee(rail.chain.head().base_fee_wei * 9 // 10)
        rail.controls.mine()
    rail.let_go()
    rail.settle_all(rail.worker("four", signer=signer))

    assert len(signer.made) == 4 and len(set(signer.made)) == 1
    row = rail.one("SELECT * FROM attempt")
    signed = read_eip1559(bytes(row.raw))
    assert row.hash == signer.made[0] == signed.hash
    assert (row.max_fee_wei, row.priority_fee_wei) == (
        signed.max_fee_wei, signed.max_priority_fee_wei,
    ), "the fees that were signed, not those asked for"  # fmt: skip


def test_what_was_signed_and_not_stored_may_still_be_cancelled(rail: Rail) -> None:
    """The clearance ends between two starts: the cancel is signed, the payment never again."""
    key = claimed_batch(rail)
    signer = rail.signer()
    assert isinstance(ask(rail, key, signer=signer), Signature)
    rail.write("UPDATE clearance SET revoked_at = expires_at - 1")

    gone = ask(rail, key, signer=signer)
    cancel = ask(rail, key, signer=signer, as_cancel=True, max_fee_wei=GWEI, priority_fee_wei=1)

    assert isinstance(gone, Refusal) and gone.ended
    assert isinstance(cancel, Signature)
    rail.write("UPDATE clearance SET revoked_at = NULL")
    again = ask(rail, key, signer=signer)
    assert isinstance(again, Refusal) and "has been cancelled" in again.reason


def test_a_signature_that_is_given_again_is_stored_once(rail: Rail) -> None:
    """The records say that less was bid than the signer knows, and its answer is there already."""
    worker = rail.worker()
    rail.tick(worker)
    (key,) = rail.instructed(1)
    rail.tick(worker)
    rail.write("UPDATE attempt SET max_fee_wei = 1000, priority_fee_wei = 10, outcome = :outcome",
               outcome="underpriced")  # fmt: skip

    rail.tick(worker)

    assert rail.one("SELECT COUNT(*) FROM attempt") == 1
    rail.settle_all(worker)
    assert rail.state(key) == "SETTLED"
