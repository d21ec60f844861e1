"""A node's JSON for headers and receipts, decoded by hand and checked against the block asked for.

Pure; asks no node. Written for speed: two logs a payment pass here, ten thousands at a time.
"""

from __future__ import annotations

from typing import Any

from settlement.chain.bloom import bloom
from settlement.chain.port import BlockRef, Hash, Log, Receipt


class WrongShape(Exception):
    """What the node said is not such an object, or contradicts its own header."""


def block_ref(answer: Any) -> BlockRef:
    """Return a header from the answer to `eth_getBlockByNumber(…, false)`.

    Raises:
        WrongShape: a field is missing or of another form.
    """
    try:
        return BlockRef(
            number=int(answer["number"], 16),
            hash=Hash(answer["hash"]),
            parent_hash=Hash(answer["parentHash"]),
            timestamp=int(answer["timestamp"], 16),
            tx_count=len(answer["transactions"]),
            has_logs=int(answer["logsBloom"], 16) != 0,
            base_fee_wei=int(answer.get("baseFeePerGas") or "0x0", 16),
            logs_bloom=answer["logsBloom"],
            receipts_root=answer.get("receiptsRoot") or "",
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WrongShape(f"no header ({type(error).__name__} {error}): {answer!r:.80}") from error


def block_receipts(block: BlockRef, answer: Any) -> list[Receipt]:
    """Return a block's receipts from the answer to `eth_getBlockReceipts`.

    Raises:
        WrongShape: the block is unknown; not as many receipts as chain transactions, or unordered;
            a receipt or log of another block; a gap in the logs; logs whose bloom filter is not the
            header's.
    """
    if answer is None:
        raise WrongShape(f"nothing for block {block.number} {block.hash}: it is gone")
    if not isinstance(answer, list) or len(answer) != block.tx_count:
        count = len(answer) if isinstance(answer, list) else "no list of"
        raise WrongShape(f"{count} receipts for the {block.tx_count} of block {block.number}")
    try:
        receipts, words = _decode(answer, block.hash)
        is_whole = int(block.logs_bloom, 16) == bloom(words) if block.logs_bloom else None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WrongShape(
            f"receipts that cannot be read ({type(error).__name__} {error}), block {block.number}"
        ) from error
    # Logs that a node keeps back or makes up change the filter: its bits are compared exactly.
    if is_whole is False or bool(words) != block.has_logs:
        raise WrongShape(f"other logs for block {block.number} than its header's bloom says")
    return receipts


def _decode(answer: list[dict[str, Any]], block_hash: Hash) -> tuple[list[Receipt], set[str]]:
    """Return the receipts, and every address and topic of their logs."""
    receipts: list[Receipt] = []
    log_count = 0
    words: set[str] = set()
    # Few addresses and few kinds of events occur again and again: one text of each is kept.
    lower: dict[str, Any] = {}
    for place, item in enumerate(answer):
        if item["blockHash"] != block_hash or int(item["transactionIndex"], 16) != place:
            raise WrongShape(f"a receipt of block {item['blockHash']} for {block_hash}")
        logs: list[Log] = []
        for entry in item["logs"]:
            if entry["blockHash"] != block_hash or int(entry["logIndex"], 16) != log_count:
                raise WrongShape(f"log {entry['logIndex']} of {entry['blockHash']} out of place")
            address = entry["address"]
            known = lower.get(address)
            if known is None:
                known = lower[address] = address.lower()
                words.add(known)
            topics = tuple(entry["topics"])
            words.update(topics)
            logs.append(Log(known, topics, entry["data"], log_count))
            log_count += 1
        receipts.append(_receipt(item, place, tuple(logs)))
    return receipts, words


def _receipt(item: dict[str, Any], place: int, logs: tuple[Log, ...]) -> Receipt:
    to = item["to"]
    return Receipt(
        tx_hash=item["transactionHash"],
        tx_index=place,
        sender=item["from"].lower(),
        to=to.lower() if to else None,
        status=int(item["status"], 16),
        gas_used=int(item["gasUsed"], 16),
        gas_price_wei=int(item["effectiveGasPrice"], 16),
        logs=logs,
    )
