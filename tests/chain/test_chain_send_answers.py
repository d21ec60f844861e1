"""Each row of the table: what anvil, geth, reth, Besu and Nethermind say when they refuse bytes."""

import pytest

from settlement.chain.port import SendOutcome
from settlement.chain.send_answers import MEANINGS, meaning

REAL_TEXTS = [
    # anvil 1.7
    ("transaction already imported", "accepted"),
    ("nonce too low", "nonce_used"),
    ("replacement transaction underpriced", "underpriced_replacement"),
    ("max fee per gas less than block base fee", "underpriced"),
    ("Insufficient funds for gas * price + value", "no_gas_money"),
    ("invalid chain id for signer", "malformed"),
    ("intrinsic gas too low", "malformed"),
    ("intrinsic gas too high -- tx.gas_limit > env.block.gas_limit", "malformed"),
    ("Failed to decode transaction", "malformed"),
    ("Empty transaction data", "malformed"),
    # geth
    ("already known", "accepted"),
    ("nonce too low: next nonce 5, tx nonce 4", "nonce_used"),
    ("transaction underpriced: tip needed 1000000, tip permitted 1", "underpriced"),
    ("transaction underpriced", "underpriced"),
    (
        "max fee per gas less than block base fee: address 0xAb, maxFeePerGas: 1, baseFee: 7",
        "underpriced",
    ),
    (
        "insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1",
        "no_gas_money",
    ),
    ("invalid chain id for signer: have 1 want 31337", "malformed"),
    ("intrinsic gas too low: gas 20000, minimum needed 21000", "malformed"),
    ("exceeds block gas limit", "malformed"),
    ("transaction gas limit too high (cap: 16777216, tx: 20000000)", "malformed"),
    ("tx fee (2.00 ether) exceeds the configured cap (1.00 ether)", "malformed"),
    ("max priority fee per gas higher than max fee per gas: address 0xAb", "malformed"),
    ("only replay-protected (EIP-155) transactions allowed over RPC", "malformed"),
    ("invalid sender", "malformed"),
    ("invalid transaction v, r, s values", "malformed"),
    ("transaction type not supported", "malformed"),
    ("oversized data: transaction size 140000, limit 131072", "malformed"),
    ("rlp: expected input list for types.DynamicFeeTx", "malformed"),
    ("nonce has max value: address 0xAb, nonce: 18446744073709551615", "malformed"),
    ("transaction gas price below minimum: gas tip cap 1, minimum needed 1000000", "underpriced"),
    ("insufficient gas for floor data gas cost: gas 21000, minimum needed 30000", "malformed"),
    ("sender not an eoa: address 0xAb, len(code): 23", "malformed"),
    # Besu
    ("Transaction fee cap exceeded", "malformed"),
    ("Sender account not authorized to send transactions", "malformed"),
    ("ChainId not supported", "malformed"),
    ("ChainId is required", "malformed"),
    ("Known transaction", "accepted"),
    ("Nonce too low", "nonce_used"),
    ("Gas price below configured minimum gas price", "underpriced"),
    ("Gas price below current base fee", "underpriced"),
    ("Upfront cost exceeds account balance", "no_gas_money"),
    ("Transaction gas limit exceeds block gas limit", "malformed"),
    ("Intrinsic gas exceeds gas limit", "malformed"),
    ("Wrong chainId", "malformed"),
    ("Chain id in transaction signature is required", "malformed"),
    ("Max priority fee per gas exceeds max fee per gas", "malformed"),
    ("Invalid signature", "malformed"),
    # Nethermind, OpenEthereum and others
    ("AlreadyKnown", "accepted"),
    ("Transaction with the same hash was already imported.", "accepted"),
    ("AlreadyImported", "accepted"),
    ("OldNonce, Current nonce: 5, nonce of rejected tx: 4", "nonce_used"),
    ("Transaction nonce is too low. Try incrementing the nonce.", "nonce_used"),
    ("Pool(Stale)", "nonce_used"),
    ("ReplacementNotAllowed", "underpriced_replacement"),
    ("FeeTooLow, MaxFeePerGas too low", "underpriced"),
    ("InsufficientFunds, Balance is zero", "no_gas_money"),
    ("InvalidTxChainId, Expected 1, got 2", "malformed"),
    ("invalid chainId", "malformed"),
    ("Incompatible EIP-155 transaction, signed for another chain", "malformed"),
]


@pytest.mark.parametrize(("text", "outcome"), REAL_TEXTS)
def test_a_nodes_words_are_understood(text: str, outcome: str) -> None:
    answer = meaning(text)

    assert answer.outcome == outcome
    assert answer.message == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "txpool is full",
        "account limit exceeded",
        "nonce too high",
        "rate limit reached",
        "future transaction tries to replace pending",
        "internal error",
        "header not found",
        "An invalid transaction with a lower nonce exists",
        "timeout",
    ],
)
def test_words_that_say_nothing_of_the_bytes_are_unknown(text: str) -> None:
    assert meaning(text).outcome is SendOutcome.UNKNOWN


def test_no_row_of_the_table_is_untested_or_hidden_by_an_earlier_one() -> None:
    used = {next(part for part, _ in MEANINGS if part in text.lower()) for text, _ in REAL_TEXTS}

    assert used == {part for part, _ in MEANINGS}
