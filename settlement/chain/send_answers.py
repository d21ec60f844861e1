"""What a node's words on a send mean, for the texts of anvil, geth, reth, Besu and Nethermind.

Pure; sends nothing. A text that no row knows is UNKNOWN: the bytes may or may not have arrived.
"""

from __future__ import annotations

from settlement.chain.port import SendAnswer, SendOutcome

# The first row whose words occur in the lower-case message decides: narrower rows come first.
# Source: the nodes' sources; anvil's rows are checked against a running anvil by the tests.
MEANINGS: tuple[tuple[str, SendOutcome], ...] = (
    ("already known", SendOutcome.ACCEPTED),  # geth, reth
    ("already imported", SendOutcome.ACCEPTED),  # anvil: "transaction already imported"
    ("known transaction", SendOutcome.ACCEPTED),  # Besu, older geth
    ("alreadyknown", SendOutcome.ACCEPTED),  # Nethermind
    ("alreadyimported", SendOutcome.ACCEPTED),  # OpenEthereum
    ("nonce too low", SendOutcome.NONCE_USED),  # anvil, geth, reth, Besu
    ("pool(stale)", SendOutcome.NONCE_USED),
    ("oldnonce", SendOutcome.NONCE_USED),  # Nethermind
    ("nonce is too low", SendOutcome.NONCE_USED),
    ("replacement transaction underpriced", SendOutcome.UNDERPRICED_REPLACEMENT),
    ("replacementnotallowed", SendOutcome.UNDERPRICED_REPLACEMENT),  # Nethermind
    ("transaction underpriced", SendOutcome.UNDERPRICED),  # geth: below its minimum tip
    ("less than block base fee", SendOutcome.UNDERPRICED),  # anvil, geth, reth
    ("below configured minimum", SendOutcome.UNDERPRICED),  # Besu
    ("below current base fee", SendOutcome.UNDERPRICED),  # Besu
    ("gas price below minimum", SendOutcome.UNDERPRICED),  # geth
    ("feetoolow", SendOutcome.UNDERPRICED),  # Nethermind
    ("insufficient funds", SendOutcome.NO_GAS_MONEY),  # anvil, geth, reth
    ("insufficientfunds", SendOutcome.NO_GAS_MONEY),  # Nethermind
    ("upfront cost exceeds account balance", SendOutcome.NO_GAS_MONEY),  # Besu
    ("invalid chain id", SendOutcome.MALFORMED),  # anvil, geth
    ("invalid chainid", SendOutcome.MALFORMED),
    ("incompatible eip-155", SendOutcome.MALFORMED),
    ("wrong chain", SendOutcome.MALFORMED),  # Besu: "Wrong chainId"
    ("chain id in transaction signature", SendOutcome.MALFORMED),  # Besu
    ("chainid not supported", SendOutcome.MALFORMED),  # Besu
    ("chainid is required", SendOutcome.MALFORMED),  # Besu
    ("invalidtxchainid", SendOutcome.MALFORMED),  # Nethermind
    ("replay-protected", SendOutcome.MALFORMED),  # geth: signed without a chain id
    ("intrinsic gas", SendOutcome.MALFORMED),  # "too low" (geth), "too high" (anvil), "exceeds …"
    ("exceeds block gas limit", SendOutcome.MALFORMED),  # geth, reth, Besu
    ("gas limit too high", SendOutcome.MALFORMED),  # above the cap of one chain transaction
    ("exceeds the configured cap", SendOutcome.MALFORMED),  # geth's --rpc.txfeecap
    ("fee cap exceeded", SendOutcome.MALFORMED),  # Besu
    ("gas for floor data", SendOutcome.MALFORMED),  # geth, EIP-7623
    ("priority fee per gas higher than max fee", SendOutcome.MALFORMED),  # anvil, geth
    ("priority fee per gas exceeds max fee", SendOutcome.MALFORMED),  # Besu
    ("nonce has max value", SendOutcome.MALFORMED),
    ("invalid sender", SendOutcome.MALFORMED),
    ("sender not an eoa", SendOutcome.MALFORMED),  # geth
    ("not authorized to send", SendOutcome.MALFORMED),  # Besu's permissions
    ("invalid signature", SendOutcome.MALFORMED),
    ("invalid transaction v, r, s", SendOutcome.MALFORMED),
    ("transaction type not supported", SendOutcome.MALFORMED),
    ("oversized data", SendOutcome.MALFORMED),  # geth: more than 128 kB
    ("failed to decode", SendOutcome.MALFORMED),  # anvil
    ("empty transaction data", SendOutcome.MALFORMED),  # anvil
    ("rlp:", SendOutcome.MALFORMED),  # geth cannot decode the bytes
)


def meaning(message: str) -> SendAnswer:
    """Return what a node's refusal of a send says about the bytes. Case does not matter."""
    words = message.lower()
    for part, outcome in MEANINGS:
        if part in words:
            return SendAnswer(outcome, message)
    return SendAnswer(SendOutcome.UNKNOWN, message)
