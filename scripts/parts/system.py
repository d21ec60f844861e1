"""Where things are in the checkout, and what the machine below it has to offer.

It does not install anything.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".setup"
VENV = ROOT / ".venv"
CONTRACTS = ROOT / "contracts"
BINARIES = ("anvil", "forge")
NODE_FLOOR = 20
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class SetupFailed(Exception):
    """A step could not be done; the message says what a person has to do."""


def check_system() -> None:
    if not all(importlib.util.find_spec(name) for name in ("ensurepip", "venv")):
        version = ".".join(str(part) for part in sys.version_info[:2])
        raise SetupFailed(
            "this Python cannot make virtual environments.\n"
            f"       sudo apt-get install python3-venv   (or python{version}-venv)"
        )
    for program, package in (("node", "nodejs"), ("npm", "npm")):
        if shutil.which(program) is None:
            raise SetupFailed(
                f"no {program} on PATH.\n       sudo apt-get install {package}\n"
                f"       (Node {NODE_FLOOR} or newer is needed; check with `node --version`)"
            )
    answer = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.", answer.stdout)
    if found is None or int(found[1]) < NODE_FLOOR:
        raise SetupFailed(
            f"node is {answer.stdout.strip() or 'broken'}, {NODE_FLOOR} or newer is needed.\n"
            "       sudo apt-get install nodejs   (from a source that has a newer one)"
        )


def client_environment() -> dict[str, str]:
    """Our environment, made fit for the package clients.

    Their caches lie in the checkout when the home folder cannot hold them.
    """
    environment = dict(os.environ)
    # A caller's own environment must not be the one that we install into.
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX"):
        environment.pop(name, None)
    home = Path(environment.get("HOME") or "/nonexistent")
    cache = home / ".cache" if (home / ".cache").exists() else home
    if not os.access(cache, os.W_OK):
        environment.setdefault("UV_CACHE_DIR", str(STATE / "cache" / "uv"))
        environment.setdefault("PIP_CACHE_DIR", str(STATE / "cache" / "pip"))
        environment.setdefault("npm_config_cache", str(STATE / "cache" / "npm"))
    # The clients bring certificates of their own; behind a proxy only the system's are right.
    if CERTIFICATES.exists():
        environment.setdefault("UV_SYSTEM_CERTS", "true")
        environment.setdefault("PIP_CERT", str(CERTIFICATES))
        environment.setdefault("NODE_EXTRA_CA_CERTS", str(CERTIFICATES))
    return environment


def binary(name: str) -> Path:
    return CONTRACTS / "node_modules" / "@foundry-rs" / f"{name}-linux-amd64" / "bin" / name


def version_line(name: str) -> str:
    """The first line that the binary says of itself. Raises: SetupFailed when it cannot run."""
    path = binary(name)
    if not path.exists():
        # npm passes over optional packages of another system without a word.
        machine = f"{os.uname().sysname} {os.uname().machine}"
        raise SetupFailed(
            f"npm brought no {name} for this system ({machine}); Linux x86_64 has one."
        )
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SetupFailed(f"{path.relative_to(ROOT)} does not run: {error}") from error
    return answer.stdout.splitlines()[0]
