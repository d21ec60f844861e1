"""Whether the files of an installation's home can be read, before anything is started on them.

Mends nothing and opens no key.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from settlement.errors import Conflict, Invalid

_ASIDE = "put back a copy of it; or, for an empty test rail, start with another --home"


def require_sound_home(home: Path) -> None:
    """Look at keys and genesis block of a home, where they are there already.

    Raises:
        Invalid: the home is a file.
        Conflict: a file does not hold what it is for.
    """
    if home.exists() and not home.is_dir():
        raise Invalid(
            f"{home} is a file, and a home is a folder",
            field="--home", repair="name another folder with --home or SETTLE_HOME",
        )  # fmt: skip
    keys = home / "keys"
    for keystore in (*sorted(keys.glob("operator*.json")), keys / "admin.json"):
        _require(keystore, _is_keystore, "key (keystore v3)")
    _require(
        keys / "api-keys.json", _is_of_words, "API keys by name",
        "put back a copy, or move it away: new keys are made, and `settle key revoke` ends the old",
    )  # fmt: skip
    _require(home / "chain" / "genesis", str.isdecimal, "time of the chain's first block")


def _require(file: Path, holds: Callable[[str], bool], wanted: str, repair: str = _ASIDE) -> None:
    if not file.exists():
        return
    try:
        sound = holds(file.read_text(encoding="utf-8").strip())
    except ValueError:
        sound = False
    if not sound:
        raise Conflict(f"{file} is damaged: it holds no {wanted}", field="--home", repair=repair)


def _is_keystore(content: str) -> bool:
    found = json.loads(content)
    return isinstance(found, dict) and isinstance(found.get("crypto"), dict)


def _is_of_words(content: str) -> bool:
    found = json.loads(content)
    return isinstance(found, dict) and all(isinstance(key, str) for key in found.values())
