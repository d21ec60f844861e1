"""A key that a web3signer holds: our rules in front, its signature checked, the first one kept."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from settlement.chain import rlp
from settlement.chain.signing import KeyPair, read_eip1559
from settlement.signer import IntentSigner, Refusal, Signature, SigningRequest
from settlement.signer.limits import AmountLimits
from settlement.signer.remote_key import RemoteKey, RemoteSignerUnreachable
from tests.builders.rail import OPERATOR, Rail
from tests.signer.asking import GWEI, ask, claimed_batch
from tests.signer.web3signer import SIGN, Web3Signer, a_web3signer, upper_s

STRANGER = KeyPair.of(b"\x33" * 32)


@pytest.fixture
def remote() -> Iterator[Web3Signer]:
    with a_web3signer(OPERATOR.key) as served:
        yield served


@pytest.fixture
def claimed(sqlite_rail: Rail) -> str:
    return claimed_batch(sqlite_rail)


def _key(remote: Web3Signer, **changes: Any) -> RemoteKey:
    return RemoteKey(remote.url, OPERATOR.address, **changes)


def _signer(rail: Rail, remote: Web3Signer, **changes: Any) -> IntentSigner:
    return rail.signer(keys=_key(remote), **changes)


def test_a_remote_key_gives_the_bytes_that_a_key_file_gives(
    sqlite_rail: Rail, claimed: str, remote: Web3Signer
) -> None:
    there = ask(sqlite_rail, claimed, signer=_signer(sqlite_rail, remote))
    here = ask(sqlite_rail, claimed, signer=sqlite_rail.signer(slots="other.sqlite3"))

    assert isinstance(there, Signature)
    assert there == here
    assert read_eip1559(there.raw).sender == OPERATOR.address
    assert remote.asked == [
        ("GET", "/api/v1/eth1/publicKeys"), ("POST", SIGN + remote.identifier),
    ]  # fmt: skip
    (payload,) = remote.payloads
    fields = rlp.decode(payload[1:])
    assert payload[0] == 2 and len(fields) == 9, (
        "the unsigned chain transaction, to be hashed there"
    )


def test_the_remote_is_never_asked_for_what_no_clearance_covers(
    sqlite_rail: Rail, claimed: str, remote: Web3Signer
) -> None:
    sqlite_rail.write("UPDATE clearance SET outcome = 'HOLD'")

    answer = ask(sqlite_rail, claimed, signer=_signer(sqlite_rail, remote))

    assert isinstance(answer, Refusal)
    assert remote.payloads == []


def test_the_remote_is_never_asked_for_what_is_over_a_limit(
    sqlite_rail: Rail, claimed: str, remote: Web3Signer
) -> None:
    signer = _signer(sqlite_rail, remote, amounts=AmountLimits(payment_units=999))

    assert isinstance(ask(sqlite_rail, claimed, signer=signer), Refusal)
    assert remote.payloads == []


def test_of_a_key_that_signs_differently_each_time_the_first_signature_holds(
    sqlite_rail: Rail, claimed: str, remote: Web3Signer
) -> None:
    remote.is_repeatable = False
    assert remote.sign(b"once") != remote.sign(b"once"), "it does sign differently"

    first = ask(sqlite_rail, claimed, signer=_signer(sqlite_rail, remote))
    again = [ask(sqlite_rail, claimed, signer=_signer(sqlite_rail, remote)) for _ in range(3)]
    lower = ask(sqlite_rail, claimed, signer=_signer(sqlite_rail, remote), max_fee_wei=2 * GWEI)

    assert isinstance(first, Signature)
    assert [*again, lower] == [first] * 4, "also after a new start, also for a lower bid"
    assert len(remote.payloads) == 1


def test_two_that_ask_at_once_get_one_signature(
    sqlite_rail: Rail, claimed: str, remote: Web3Signer
) -> None:
    """Both ask the remote before either has an answer; one of its two signatures is thrown away."""
    remote.is_repeatable = False
    both = threading.Barrier(2, timeout=60)
    remote.before = lambda: both.wait() and None
    signers = [_signer(sqlite_rail, remote) for _ in range(2)]

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda each: ask(sqlite_rail, claimed, signer=each), signers)

    assert len(remote.payloads) == 2 and one == two
    assert isinstance(one, Signature)


def test_an_answer_that_was_lost_is_asked_for_again_and_counted_once(
    sqlite_rail: Rail, claimed: str, remote: Web3Signer
) -> None:
    remote.is_repeatable, remote.hangs_up = False, True
    signer = _signer(sqlite_rail, remote, amounts=AmountLimits(day_units=2001))
    with pytest.raises(RemoteSignerUnreachable, match="does not answer"):
        ask(sqlite_rail, claimed, signer=signer)
    assert len(remote.payloads) == 1, "nothing is repeated by itself"
    remote.hangs_up = False

    answer = ask(sqlite_rail, claimed, signer=signer)

    assert isinstance(answer, Signature)
    assert answer == ask(sqlite_rail, claimed, signer=signer)
    assert len(set(remote.payloads)) == 1, "never other content"


CHANGED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "another key's": (lambda _: b"", "signed as"),
    "s in the upper half": (upper_s, "one accepted form"),
    "the other parity": (lambda got: got[:64] + bytes([55 - got[64]]), "signed as"),
    "v of 0 but for 1": (lambda got: got[:64] + bytes([28 - got[64]]), "signed as"),
    "v of a chain id": (lambda got: got[:64] + bytes([got[64] + 10]), "v is"),
    "too short": (lambda got: got[:64], "64 bytes"),
    "too long": (lambda got: got + b"\0", "66 bytes"),
    "nothing": (lambda got: b"", "0 bytes"),
    "zeros": (lambda got: bytes(64) + b"\x1b", "invalid signature"),
    "a bit of r": (lambda got: bytes([got[0] ^ 1]) + got[1:], "signature|signed as"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_is_not_our_keys_signature_in_its_one_form_is_refused(
    sqlite_rail: Rail, claimed: str, remote: Web3Signer, name: str
) -> None:
    remote.change, words = CHANGED[name]
    if name == "another key's":
        stranger = Web3Signer(STRANGER.key)
        remote.change = lambda _: stranger.sign(remote.payloads[-1])
    signer = _signer(sqlite_rail, remote)

    refusal = ask(sqlite_rail, claimed, signer=signer)

    assert isinstance(refusal, Refusal) and not refusal.ended
    assert any(each in refusal.reason for each in words.split("|")), refusal.reason
    remote.change = lambda signature: signature
    assert isinstance(ask(sqlite_rail, claimed, signer=signer), Signature), "nothing of it was kept"


def test_a_v_of_zero_or_one_is_understood_too(
    sqlite_rail: Rail, claimed: str, remote: Web3Signer
) -> None:
    remote.change = lambda signature: signature[:64] + bytes([signature[64] - 27])

    assert isinstance(ask(sqlite_rail, claimed, signer=_signer(sqlite_rail, remote)), Signature)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, {}, b"not found"), "no longer holds the key"),
        ((400, {}, b""), "status 400"),
        ((500, {}, b"<html>"), "status 500"),
        ((429, {"Retry-After": "1"}, b""), "status 429"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "status 302"),
    ],
)
def test_an_error_is_no_signature_and_may_be_tried_again(
    sqlite_rail: Rail, claimed: str, remote: Web3Signer, answer: Any, words: str
) -> None:
    remote.answer = answer
    signer = _signer(sqlite_rail, remote)

    with pytest.raises(RemoteSignerUnreachable, match=words):
        ask(sqlite_rail, claimed, signer=signer)

    assert len([each for each in remote.asked if each[0] == "POST"]) == 1, "no retry of its own"
    remote.answer = None
    assert isinstance(ask(sqlite_rail, claimed, signer=signer), Signature)


def test_a_redirect_is_not_followed_to_another_host(
    sqlite_rail: Rail, claimed: str, remote: Web3Signer
) -> None:
    with a_web3signer(OPERATOR.key) as elsewhere:
        place = f"{elsewhere.url}{SIGN}{elsewhere.identifier}"
        remote.answer = (307, {"Location": place}, b"")
        with pytest.raises(RemoteSignerUnreachable):
            ask(sqlite_rail, claimed, signer=_signer(sqlite_rail, remote))

        assert elsewhere.asked == []


@pytest.mark.parametrize("told", [b"", b"<html>no</html>", b'{"signature":"0x"}', b"\xff\xfe"])
def test_an_answer_that_is_no_signature_is_refused(
    sqlite_rail: Rail, claimed: str, remote: Web3Signer, told: bytes
) -> None:
    remote.answer = (200, {}, told)

    assert isinstance(ask(sqlite_rail, claimed, signer=_signer(sqlite_rail, remote)), Refusal)


def test_a_whole_tick_pays_with_a_remote_key(sqlite_rail: Rail, remote: Web3Signer) -> None:
    remote.is_repeatable = False
    rail = sqlite_rail
    worker = rail.worker(signer=_signer(rail, remote))
    rail.tick(worker)
    keys = rail.instructed(3)

    rail.settle_all(worker)

    assert {rail.state(each) for each in keys} == {"SETTLED"}
    assert len(remote.payloads) == 1


def test_a_higher_bid_is_another_signature_of_the_same_content(
    sqlite_rail: Rail, claimed: str, remote: Web3Signer
) -> None:
    signer = _signer(sqlite_rail, remote)
    request = SigningRequest(claimed, 3 * GWEI, GWEI)

    (low,) = signer.sign([request], sqlite_rail.now)
    raised = replace(request, max_fee_wei=4 * GWEI, priority_fee_wei=2 * GWEI)
    (high,) = signer.sign([raised], sqlite_rail.now)

    assert isinstance(low, Signature) and isinstance(high, Signature)
    assert read_eip1559(low.raw).data == read_eip1559(high.raw).data
    assert low.hash != high.hash
