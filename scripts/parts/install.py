"""Installs the packages and binaries that the project needs into its own checkout.

It does not import anything outside the standard library, and writes nothing outside the
checkout but the package clients' caches.
"""

import argparse
import contextlib
import fcntl
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from stamp import (
    STAMP,
    contracts_are_done,
    count_packages,
    is_done,
    lock_file,
    python_is_done,
    read_stamp,
    stamp,
)
from system import (
    BINARIES,
    CONTRACTS,
    ROOT,
    STATE,
    VENV,
    SetupFailed,
    check_system,
    client_environment,
    version_line,
)

TOOLS = STATE / "venv"


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/setup", description=__doc__)
    parser.add_argument("--runtime", action="store_true", help="leave the development packages out")
    wants = "runtime" if parser.parse_args(argv).runtime else "development"
    try:
        if not is_done(wants):
            with _only_one_at_a_time():
                # Somebody else may have done it while we waited.
                if not is_done(wants):
                    _install(wants)
    except SetupFailed as failure:
        print(f"setup: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup: interrupted; run it again to go on.", file=sys.stderr)
        return 130
    return 0


def _install(wants: str) -> None:
    """Do what is out of date. npm runs beside pip: both mostly wait for the network."""
    started = time.monotonic()
    check_system()
    done = read_stamp()
    # An environment with the development packages keeps them: runtime alone takes none away.
    mode = "development" if done.get("mode") == "development" else wants
    # Blank until all went well: an interrupted run is repeated, never believed.
    STAMP.write_text(json.dumps({"mode": mode}) + "\n")
    environment = client_environment()
    with contextlib.ExitStack() as stack:
        npm = None
        if not contracts_are_done(done):
            npm = stack.enter_context(_started(["npm", "ci", "--ignore-scripts"], environment))
            _say("contract tools: npm ci, in the background")
        if not python_is_done(done, mode):
            _install_python(mode, environment)
        if npm is not None:
            _say("contract tools: waiting for npm")
            _wait(npm, "npm ci", "Check that the npm registry can be reached, then try again.")
    for binary in BINARIES:
        _say(version_line(binary))
    STAMP.write_text(json.dumps(stamp(mode), indent=1) + "\n")
    _say(f"done in {time.monotonic() - started:.0f} s")


def _install_python(mode: str, environment: dict[str, str]) -> None:
    uv = TOOLS / "bin" / "uv"
    if not _tools_work(uv):
        _say("tools: a virtual environment with the pinned installer")
        shutil.rmtree(TOOLS, ignore_errors=True)
        _run([sys.executable, "-m", "venv", TOOLS], environment)
        pip = [TOOLS / "bin" / "python", "-m", "pip", "install", "--require-hashes"]
        _run([*pip, "-r", ROOT / "requirements-setup.lock"], environment)
    python = VENV / "bin" / "python"
    if not _belongs_here(python):
        shutil.rmtree(VENV, ignore_errors=True)
        _run([uv, "venv", "--quiet", "--python", sys.executable, VENV], environment)
    lock = lock_file(mode)
    _say(f"packages: {count_packages(lock)} from {lock.name}")
    _run([uv, "pip", "sync", "--python", python, "--require-hashes", lock], environment)
    _say("the project itself, editable")
    # Built by the pinned, hashed builder of the tools: an isolated build would fetch unpinned.
    built = STATE / "built"
    shutil.rmtree(built, ignore_errors=True)
    _run([TOOLS / "bin" / "hatchling", "build", "-t", "wheel:editable", "-d", built], environment)
    wheel = next(built.glob("*.whl"))
    _run([uv, "pip", "install", "--python", python, "--no-deps", "--offline", wheel], environment)


def _tools_work(uv: Path) -> bool:
    if not uv.exists() or not (TOOLS / "bin" / "hatchling").exists():
        return False
    pinned = re.search(r"^uv==(\S+)", (ROOT / "requirements-setup.lock").read_text(), re.M)
    answer = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False)
    return (
        pinned is not None
        and answer.stdout.split()[1:2] == [pinned[1]]
        and _belongs_here(TOOLS / "bin" / "python")
    )


def _belongs_here(python: Path) -> bool:
    """Whether this environment works, has our Python's version and was made at this path."""
    if not python.exists():
        return False
    asks = "import sys; print(sys.prefix, *sys.version_info[:2], sep='\\n')"
    answer = subprocess.run([python, "-c", asks], capture_output=True, text=True, check=False)
    expected = [str(python.parents[1]), *(str(part) for part in sys.version_info[:2])]
    configuration = python.parents[1] / "pyvenv.cfg"
    return answer.stdout.splitlines() == expected and configuration.exists()


@contextlib.contextmanager
def _only_one_at_a_time() -> Iterator[None]:
    STATE.mkdir(exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another set-up is at work in this checkout; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _started(
    command: list[str], environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """The command at work in contracts/; ended with us, whatever happens."""
    with (STATE / "npm.log").open("w+b") as log:
        process = subprocess.Popen(
            command,
            cwd=CONTRACTS,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            yield process, log
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


def _wait(started: tuple[subprocess.Popen[bytes], IO[bytes]], name: str, advice: str) -> None:
    process, log = started
    if process.wait() != 0:
        log.seek(0)
        raise SetupFailed(f"{name} failed:\n{log.read().decode(errors='replace')}\n{advice}")


def _run(command: list[str | Path], environment: dict[str, str]) -> None:
    answer = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        line = " ".join(str(part) for part in command)
        raise SetupFailed(f"this command failed ({answer.returncode}): {line}\n{answer.stdout}")


def _say(line: str) -> None:
    # On standard error: a command's own output stays clean, `scripts/demo --json` for one.
    print(f"setup: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
