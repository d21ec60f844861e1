"""A real anvil as a child process: found, started, awaited, ended with all its tree.

Sends nothing of the rail's; `anvil_controls` speaks to it, and to one that somebody else started.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from settlement.chain.anvil_state import ended, keep_one_genesis, take_over
from settlement.chain.rpc import JsonRpc
from settlement.errors import ChainUnreachable, Refused, Retryable

BLOCK_GAS_LIMIT = 120_000_000
"""Room for seven batches that declare all the gas one chain transaction may have."""

_PACKAGED = "contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
_LISTENING = re.compile(rb"^Listening on \S*:(\d+)\s*$", re.MULTILINE)
_LOG_TAIL_BYTES = 2_000

# Runs before anvil in the child and then becomes it: asks the kernel to end it with its parent, and
# stops at once where the parent has gone already. (A preexec function can deadlock with threads.)
_SHIM = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 15)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


class AnvilMissing(Refused):
    """No anvil binary was found."""

    def __init__(self, looked: list[str]) -> None:
        super().__init__(
            "there is no anvil binary: " + ", ".join(looked),
            repair="run npm ci --ignore-scripts in contracts/, or name one in SETTLE_ANVIL",
        )


class PortInUse(Refused):
    """Another process listens where anvil should."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"port {port} on 127.0.0.1 is in use",
            field="port",
            repair="stop what listens there, or choose another port (0 takes a free one)",
        )


class AnvilFailed(Retryable):
    """anvil ended or did not answer in time; its own last words are told."""


@dataclass(frozen=True, slots=True)
class AnvilOptions:
    """How a chain of one's own is to run; as it stands here: a block for each send."""

    port: int = 0
    """0 takes a free one."""
    chain_id: int = 31337
    block_seconds: int | None = None
    """Mine at this interval."""
    mixed_mining: bool = False
    """With `block_seconds`: at the interval, and for each send too."""
    no_mining: bool = False
    """Mine only when told to."""
    state: Path | None = None
    """A file that the state is read from and, at an orderly end, written to."""
    genesis_timestamp: int | None = None
    """For a chain that begins; one that is read from `state` has its genesis block already."""
    base_fee_wei: int | None = None
    block_gas_limit: int = BLOCK_GAS_LIMIT
    accounts: int = 10
    order: str = "fees"
    extra: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """Return anvil's command line without the binary."""
        words = ["--host", "127.0.0.1", "--port", str(self.port), "--chain-id", str(self.chain_id)]
        # Without this any web page in a browser on this machine could speak to the chain.
        words += ["--no-cors", "--color", "never"]
        words += ["--gas-limit", str(self.block_gas_limit), "--accounts", str(self.accounts)]
        words += ["--order", self.order]
        # Beside a state it would set the clock back: blocks would be as old as the pause was long.
        if self.genesis_timestamp is not None and not (self.state and self.state.exists()):
            words += ["--timestamp", str(self.genesis_timestamp)]
        if self.base_fee_wei is not None:
            words += ["--block-base-fee-per-gas", str(self.base_fee_wei)]
        if self.block_seconds is not None:
            words += ["--block-time", str(self.block_seconds)]
        if self.mixed_mining:
            words.append("--mixed-mining")
        if self.no_mining:
            words.append("--no-mining")
        if self.state is not None:
            # Without states of the past, neither in the file nor beside it: each is a copy of every
            # account, 10 MB a minute. Reads at past blocks reach back to the start at most.
            words += ["--dump-state", str(ended(self.state)), "--max-persisted-states", "0"]
            if self.state.exists():
                words += ["--load-state", str(self.state)]
        return [*words, *self.extra]


class Anvil:
    """One anvil process; a context manager. `directory` takes its log and scratch files.

    Start it from a thread that outlives it: the kernel ends the child with the thread that made it.
    """

    def __init__(
        self,
        options: AnvilOptions = AnvilOptions(),
        *,
        directory: Path | None = None,
        binary: Path | None = None,
        ready_seconds: float = 20.0,
    ) -> None:
        self.options = options
        self.port = options.port
        self._binary = binary
        self._ready_seconds = ready_seconds
        self._own_directory = directory is None
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of its JSON-RPC."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of anvil itself."""
        assert self._process is not None
        return self._process.pid

    @property
    def log_path(self) -> Path:
        """Where it writes what it does."""
        assert self._directory is not None
        return self._directory / "anvil.log"

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Anvil:
        """Start it and return when it answers.

        Raises:
            AnvilMissing: no binary.
            PortInUse: the port that was asked for is taken.
            AnvilFailed: it ended, or did not answer in time; nothing is left running.
        """
        assert self._process is None, "an Anvil is started once at a time"
        binary = self._binary or find_anvil()
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix="settle-anvil-"))
        self._directory.mkdir(parents=True, exist_ok=True)
        scratch = ["--cache-path", str(self._directory / "cache")]
        self._take_over()
        # The same port when it is started again: others know it by that.
        options = replace(self.options, port=self.port)
        command = [sys.executable, "-I", "-S", "-c", _SHIM, str(os.getpid()), str(binary)]
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, *options.arguments(), *scratch],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._await_ready()
        except BaseException:
            self.stop(grace_seconds=1.0)
            raise
        return self

    def stop(self, grace_seconds: float = 10.0) -> None:
        """End it and all its children; it writes its state first where that was asked for."""
        process = self._process
        if process is not None:
            _signal_group(process, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace_seconds)
            _signal_group(process, signal.SIGKILL)
            process.wait()
            self._process = None
            self._take_over()
        if self._own_directory and self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def kill(self) -> None:
        """End it at once, as a crash would: no state is written."""
        if self._process is not None:
            _signal_group(self._process, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def __enter__(self) -> Anvil:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _take_over(self) -> None:
        """Make what anvil wrote at its end the state, one that can be read again."""
        if self.options.state is not None:
            take_over(self.options.state)
            if self.options.state.exists():
                keep_one_genesis(self.options.state)

    def _await_ready(self) -> None:
        deadline = time.monotonic() + self._ready_seconds
        while time.monotonic() < deadline:
            words = self.log_path.read_bytes()
            if not self.is_running:
                raise self._failure(words)
            found = _LISTENING.search(words)
            if found:
                self.port = int(found.group(1))
                if self._answers():
                    return
            time.sleep(0.01)
        raise AnvilFailed(f"anvil did not answer within {self._ready_seconds:g} s; {self._tail()}")

    def _answers(self) -> bool:
        probe = JsonRpc(self.url, 5.0)
        try:
            probe.call("eth_chainId")
        except ChainUnreachable:
            return False
        finally:
            probe.close()
        return True

    def _failure(self, words: bytes) -> Refused | Retryable:
        if b"Address already in use" in words:
            return PortInUse(self.port)
        return AnvilFailed(f"anvil ended at once; {self._tail()}")

    def _tail(self) -> str:
        words = self.log_path.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace")
        return f"its last words: {words.strip()!r}"


def find_anvil() -> Path:
    """Return the anvil binary: SETTLE_ANVIL, the checkout's package, ~/.foundry/bin, then PATH.

    Raises:
        AnvilMissing: none of them is there.
    """
    named = os.environ.get("SETTLE_ANVIL")
    if named:
        if not os.access(named, os.X_OK):
            raise AnvilMissing([f"SETTLE_ANVIL={named} is no program"])
        return Path(named)
    packaged = Path(__file__).resolve().parents[2] / _PACKAGED
    home = Path.home() / ".foundry/bin/anvil"
    for path in (packaged, home):
        if os.access(path, os.X_OK):
            return path
    on_path = shutil.which("anvil")
    if on_path:
        return Path(on_path)
    raise AnvilMissing([f"not at {packaged}", f"not at {home}", "not on PATH"])


def _signal_group(process: subprocess.Popen[bytes], what: signal.Signals) -> None:
    # anvil leads its own process group, so its number is the group's.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, what)
