"""Reaching a remote signer: what is not there, not well, too slow or in the open is told."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from settlement.chain.signing import KeyPair
from settlement.errors import Invalid
from settlement.signer.remote_key import RemoteKey, RemoteSignerUnreachable
from tests.builders.rail import OPERATOR
from tests.signer.web3signer import Web3Signer, a_web3signer

STRANGER = KeyPair.of(b"\x33" * 32)


@pytest.fixture
def remote() -> Iterator[Web3Signer]:
    with a_web3signer(OPERATOR.key) as served:
        yield served


def _key(remote: Web3Signer, **changes: Any) -> RemoteKey:
    return RemoteKey(remote.url, OPERATOR.address, **changes)


def test_an_answer_that_drips_is_cut_off(remote: Web3Signer) -> None:
    remote.drip_seconds = 0.05
    key = _key(remote, timeout_seconds=0.3)

    with pytest.raises(RemoteSignerUnreachable, match="does not answer"):
        key.sign(b"\x02payload")


def test_a_remote_that_hangs_is_given_up(remote: Web3Signer) -> None:
    free = threading.Event()
    remote.before = lambda: free.wait(20) and None

    with pytest.raises(RemoteSignerUnreachable, match="does not answer"):
        _key(remote, timeout_seconds=0.3).sign(b"\x02payload")

    free.set()


def test_a_remote_that_is_not_there_is_told(remote: Web3Signer) -> None:
    with pytest.raises(RemoteSignerUnreachable, match=r"127\.0\.0\.1:1 does not answer"):
        RemoteKey("http://127.0.0.1:1", OPERATOR.address).require()


def test_a_remote_that_is_not_well_is_told(remote: Web3Signer) -> None:
    _key(remote).require()
    remote.is_up = False

    with pytest.raises(RemoteSignerUnreachable, match="status 503"):
        _key(remote).require()


def test_a_remote_without_the_key_is_told_with_those_it_has(remote: Web3Signer) -> None:
    with pytest.raises(RemoteSignerUnreachable, match=f"only of {OPERATOR.address}"):
        RemoteKey(remote.url, STRANGER.address).require()


@pytest.mark.parametrize("keys", [["0x12"], ["zz"], [None], "0x", ["0x" + "11" * 33]])
def test_names_of_keys_that_cannot_be_read_are_told(remote: Web3Signer, keys: Any) -> None:
    remote.keys = keys

    with pytest.raises(RemoteSignerUnreachable):
        _key(remote).require()


@pytest.mark.parametrize(
    "url",
    ["http://signer.example:9000", "http://10.0.0.7:9000", "ftp://127.0.0.1", "127.0.0.1:9000", "",
     "http://127.0.0.1:99999", "https://user:word@signer.example", "https://"],
)  # fmt: skip
def test_an_address_that_would_be_asked_in_the_open_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        RemoteKey(url, OPERATOR.address)


def test_an_encrypted_address_is_taken_and_its_certificate_is_checked() -> None:
    with a_web3signer(OPERATOR.key) as plain:
        key = RemoteKey(plain.url.replace("http:", "https:"), OPERATOR.address)

        with pytest.raises(RemoteSignerUnreachable, match="SSLError"):
            key.require()
