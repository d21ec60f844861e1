"""Texts and typed data, signed by keys: what proves an address, and what does not."""

import json
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from sqlalchemy import Engine, text

from settlement.chain.keccak import keccak
from settlement.chain.port import Address
from settlement.chain.signing import KeyPair
from settlement.errors import Invalid
from settlement.participants import challenges, proofs
from settlement.participants.proofs import (
    WalletNotProved,
)
from settlement.store import reading, transaction
from tests.participants.files import ADA, NOW
from tests.participants.proving import (
    CURVE,
    HOLDER,
    METHODS,
    OTHER,
    issued,
    judged,
    payload,
)


@pytest.mark.parametrize("method", METHODS)
def test_a_signature_of_the_address_proves_it_and_is_kept(
    engine: Engine, party: str, method: str
) -> None:
    with transaction(engine) as session:
        asked = issued(session, party, kind="custodial", provider="Vault Ltd")
    good = judged(asked, method, HOLDER.sign(payload(asked, method)))

    with transaction(engine) as session:
        terms = proofs.use(session, good, by=ADA.hand, now=NOW)

    assert terms == (proofs.WalletTerms(HOLDER.address, "custodial", "Vault Ltd", "signature"))
    with reading(engine) as session:
        kept = session.execute(text("SELECT address, method, digest FROM wallet_proof")).one()
    digest = "0x" + keccak(payload(asked, method)).hex()
    assert tuple(kept) == (HOLDER.address, method, digest)


def test_our_hashes_and_signers_are_those_of_another_library(engine: Engine, party: str) -> None:
    with transaction(engine) as session:
        asked = issued(session, party)
    personal = encode_defunct(text=challenges.message(asked))
    typed = encode_typed_data(full_message=challenges.typed_data(asked))
    json.dumps(challenges.typed_data(asked))

    for seed in range(1, 20):
        holder = KeyPair.of(bytes([seed]) * 32)
        its = replace(asked, address=holder.address)
        ours = {
            "eip191": encode_defunct(text=challenges.message(its)),
            "eip712": encode_typed_data(full_message=challenges.typed_data(its)),
        }
        for method, signable in ours.items():
            theirs = Account.sign_message(signable, holder.key)
            assert theirs.signature[64] in (27, 28)
            assert judged(its, method, bytes(theirs.signature)).digest == (
                "0x" + bytes(theirs.message_hash).hex()
            )
            recovered = Account.recover_message(signable, signature=theirs.signature)
            assert recovered.lower() == holder.address
    for method, signable in (("eip191", personal), ("eip712", typed)):
        signature = HOLDER.sign(payload(asked, method))
        whole = signature[:64] + bytes([signature[64] + 27])
        assert Account.recover_message(signable, signature=whole).lower() == HOLDER.address


def test_the_text_is_one_that_wallets_know(engine: Engine, party: str) -> None:
    with transaction(engine) as session:
        asked = issued(session, party)

    lines = challenges.message(asked).split("\n")

    assert lines[0] == "rail.example wants you to sign in with your Ethereum account:"
    assert lines[1].lower() == HOLDER.address
    assert lines[3].startswith(f"I prove that this wallet is held for participant {party}.")
    names = [line.partition(":")[0] for line in lines[5:]]
    assert names == [
        "URI", "Version", "Chain ID", "Nonce", "Issued At", "Expiration Time", "Request ID",
    ]  # fmt: skip
    assert lines[9] == "Issued At: 2026-11-20T09:00:00Z"
    assert lines[10] == "Expiration Time: 2026-11-20T09:15:00Z"


@pytest.mark.parametrize("method", METHODS)
def test_the_upper_half_of_the_same_signature_is_refused(
    engine: Engine, party: str, method: str
) -> None:
    with transaction(engine) as session:
        asked = issued(session, party)
    low = HOLDER.sign(payload(asked, method))
    s = CURVE - int.from_bytes(low[32:64], "big")
    high = low[:32] + s.to_bytes(32, "big") + bytes([1 - low[64]])
    loose = Account.recover_message  # Another library takes it: that is why we look.
    assert (
        loose(
            encode_defunct(text=challenges.message(asked)),
            signature=high[:64] + bytes([high[64] + 27]),
        )
        or method
    )

    with pytest.raises(WalletNotProved, match="one accepted form"):
        judged(asked, method, high)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": 1},
        {"rail": Address("0x" + "5" * 40)},
        {"participant_id": "par_" + "0" * 32},
        {"nonce": "00" * 16},
        {"domain": "other.example"},
        {"id": "wch_other"},
        {"expires_at": 1},
        {"address": OTHER.address},
    ],
)
def test_a_signature_over_another_challenge_is_refused(
    engine: Engine, party: str, method: str, change: dict[str, Any]
) -> None:
    """Wrong chain, contract, party, nonce, domain, time or address: another key comes out."""
    with transaction(engine) as session:
        asked = issued(session, party)
    other = replace(asked, **change)
    if method == "eip191" and "rail" in change:
        pytest.skip("the text names no contract")

    with pytest.raises(WalletNotProved, match="another key"):
        judged(asked, method, HOLDER.sign(payload(other, method)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: b"",
        lambda s: s[:64],
        lambda s: s + b"\0",
        lambda s: s[:64] + b"\x02",
        lambda s: s[:64] + b"\x1d",
        lambda s: s[:64] + b"\xff",
        lambda s: bytes(65),
        lambda s: bytes(32) + s[32:],
        lambda s: b"\xff" * 32 + s[32:],
        lambda s: s[:32] + bytes(32) + s[64:],
    ],
)
def test_what_is_no_signature_is_refused(
    engine: Engine, party: str, method: str, spoil: Any
) -> None:
    with transaction(engine) as session:
        asked = issued(session, party)

    with pytest.raises(WalletNotProved):
        judged(asked, method, spoil(HOLDER.sign(payload(asked, method))))


def test_the_signature_of_one_kind_is_none_of_the_other(engine: Engine, party: str) -> None:
    with transaction(engine) as session:
        asked = issued(session, party)

    for signed, named in (METHODS, METHODS[::-1]):
        with pytest.raises(WalletNotProved):
            judged(asked, named, HOLDER.sign(payload(asked, signed)))
    with pytest.raises(Invalid):
        judged(asked, "eip0", HOLDER.sign(payload(asked, "eip191")))
