"""The hands of a forger: changes a proof's content, and makes its digest right again."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from settlement.verify.proof_standalone import Trusted, verify

Proof = dict[str, Any]
Place = tuple[str | int, ...]


def opened(content: bytes) -> Proof:
    """Return a proof's content."""
    found: Proof = json.loads(content)
    return found


def text(value: Any) -> bytes:
    """Return canonical JSON, by code of its own."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sealed(proof: Proof) -> bytes:
    """Return the bytes of a proof whose digest is that of its content, whatever that is."""
    rest = {name: value for name, value in proof.items() if name != "digest"}
    return text({**rest, "digest": sha256(text(rest)).hexdigest()}) + b"\n"


def forged(content: bytes, change: Callable[[Proof], Any]) -> bytes:
    """Return a proof with a change, sealed anew."""
    proof = opened(content)
    change(proof)
    return sealed(proof)


def rehashed(entry: dict[str, Any]) -> None:
    """Give an entry the hash of its content."""
    entry["hash"] = sha256(text(entry["content"])).hexdigest()


def wrong(content: bytes, **trusted: Any) -> list[str]:
    """Return the names of the checks that do not hold."""
    return [each.name for each in verify(content, Trusted(**trusted)) if each.ok is False]


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield every value that holds no others, with its place."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, (*place, name))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from leaves(each, (*place, index))
    else:
        yield place, value


def put(proof: Proof, place: Place, value: Any) -> Proof:
    """Return a copy with another value at a place."""
    changed = copy.deepcopy(proof)
    inner: Any = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return changed


def others(value: Any) -> list[Any]:
    """Return values of the same form that stand for something else."""
    if value is None:
        return []
    if isinstance(value, int):
        return [value + 1, max(0, value - 1)] if value else [1]
    found = []
    for at in {0, len(value) // 2, len(value) - 1} if value else set():
        letter = "1" if value[at] in "023456789abcdef" else "2"
        letter = letter if value[at].isalnum() else value[at]
        found.append(value[:at] + letter + value[at + 1 :])
    return [each for each in found if each != value]
