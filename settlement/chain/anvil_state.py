"""The file in which anvil keeps its chain, made fit to be read again.

Knows no running node; changes nothing but which blocks call themselves the first.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson

from settlement.chain.encoding import header_bytes
from settlement.chain.keccak import keccak
from settlement.chain.receipts import WrongShape


def ended(state: Path) -> Path:
    """Return the file that anvil writes at its end.

    Not the state itself: anvil writes over a file in place, and a disk that is full or a kill
    would leave half a chain and nothing else.
    """
    return state.with_suffix(".ended")


def take_over(state: Path) -> None:
    """Let what anvil wrote at its end be the state, if that is whole and the newer of both."""
    written = ended(state)
    if not written.exists():
        return
    is_newer = not state.exists() or written.stat().st_mtime_ns >= state.stat().st_mtime_ns
    if is_newer and _is_whole(written):
        written.replace(state)
    else:
        written.unlink()


def keep_one_genesis(state: Path) -> None:
    """Take every block 0 out of the file that block 1 does not stand on.

    Each start of anvil makes a genesis block before it reads the file, and writes it with the
    others when it ends. Of several it takes any: the chain would then be another one.
    A file of another form is left to anvil, which says what is wrong with it.
    """
    try:
        content = orjson.loads(state.read_bytes())
        kept = [block for block in content["blocks"] if not _is_foreign(block, content["blocks"])]
    except (KeyError, TypeError, ValueError, WrongShape):
        return
    if len(kept) == len(content["blocks"]):
        return
    beside = state.with_suffix(".next")
    with beside.open("wb") as stream:
        stream.write(orjson.dumps({**content, "blocks": kept}))
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(state)


def _is_whole(file: Path) -> bool:
    """Whether all of it was written, down to the disk."""
    try:
        with file.open("rb+") as stream:
            orjson.loads(stream.read())
            os.fsync(stream.fileno())
    except (OSError, ValueError):
        return False
    return True


def _is_foreign(block: dict[str, Any], blocks: list[dict[str, Any]]) -> bool:
    """Whether it is a block 0, and not the parent of those that are numbered 1."""
    if _number(block) != 0:
        return False
    parents = {each["header"]["parentHash"] for each in blocks if _number(each) == 1}
    own_hash = "0x" + keccak(header_bytes(block["header"])).hex()
    return bool(parents) and own_hash not in parents


def _number(block: dict[str, Any]) -> int:
    return int(block["header"]["number"], 16)
