"""What is installed already, and from which locks.

It does not install anything.
"""

import hashlib
import json
import re
import tomllib
from pathlib import Path

from system import BINARIES, CONTRACTS, ROOT, STATE, VENV, binary

STAMP = STATE / "stamp.json"


def is_done(wants: str) -> bool:
    done = read_stamp()
    return python_is_done(done, wants) and contracts_are_done(done)


def python_is_done(done: dict[str, str], wants: str) -> bool:
    mode = done.get("mode", "")
    covers = mode == "development" or mode == wants
    return (
        covers
        and done.get("python") == stamp(mode)["python"]
        and (VENV / "bin" / "python").exists()
        and (VENV / "bin" / "settle").exists()
    )


def contracts_are_done(done: dict[str, str]) -> bool:
    fresh = done.get("contracts") == stamp("runtime")["contracts"]
    return fresh and all(binary(name).exists() for name in BINARIES)


def read_stamp() -> dict[str, str]:
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def stamp(mode: str) -> dict[str, str]:
    """What the installed things were made from. A moved checkout counts as a change."""
    python_files = [ROOT / "requirements-setup.lock", lock_file(mode)]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    # Only what an installation is made from: a changed lint rule installs nothing anew.
    made_from = [project["build-system"], project["project"], project["tool"]["hatch"]]
    return {
        "mode": mode,
        "python": _digest(python_files, json.dumps([str(ROOT), made_from])),
        "contracts": _digest([CONTRACTS / "package-lock.json", CONTRACTS / ".npmrc"], ""),
    }


def _digest(files: list[Path], extra: str) -> str:
    digest = hashlib.sha256(extra.encode())
    for file in files:
        digest.update(file.read_bytes() if file.exists() else b"absent")
    return digest.hexdigest()


def lock_file(mode: str) -> Path:
    return ROOT / ("requirements-dev.lock" if mode == "development" else "requirements.lock")


def count_packages(lock: Path) -> int:
    return len(re.findall(r"^[a-z0-9].*==", lock.read_text(), re.M))
