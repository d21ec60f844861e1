"""The process with the key: it loads what signing needs and little else, and leaves no core dump.

`settle signer` reads the settings, checks the database, and then becomes this process.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson

from gateway.passwords import read_password
from settlement.chain.keystore import open_key, require_not_in_environment
from settlement.errors import Invalid, RailError, Refused
from settlement.signer.limits import PAYMENTS, AmountLimits
from settlement.signer.opening import open_signer
from settlement.signer.port import KeyHolder
from settlement.signer.records import Records
from settlement.signer.remote_key import RemoteKey
from settlement.signer.slots import SlotStore
from settlement.signer.socket import serve

PLAN = "SETTLE_SIGNER_PLAN"
"""Where the plan is handed over. It holds no key and no password of a key."""

_PR_SET_DUMPABLE = 4
_ENDS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class SignerPlan:
    """Everything that the process has to know."""

    database_url: str
    socket: str
    memory: str
    max_fee_wei: int
    keystore: str = ""
    password_fd: int | None = None
    remote_signer: str = ""
    address: str = ""
    accept_rail: str = ""
    signs: str = PAYMENTS
    """What it is for: payments, or changes of the registry."""
    amounts: Mapping[str, int] = field(default_factory=dict)
    by_token: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def become(plan: SignerPlan) -> None:
    """Replace this process by the one with the key. Does not return."""
    if plan.password_fd is not None:
        os.set_inheritable(plan.password_fd, True)
    environment = {**os.environ, PLAN: orjson.dumps(asdict(plan)).decode()}
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", "gateway.signer_process"], environment)


def main() -> None:
    """Sign until told to stop; what is refused is a sentence and exit code 1."""
    try:
        run(SignerPlan(**orjson.loads(os.environ.pop(PLAN))))
    except RailError as error:
        repair = error.repair if isinstance(error, Refused) else None
        print(f"settle: {error}" + (f"\n  {repair}" if repair else ""), file=sys.stderr)
        sys.exit(1)


def run(plan: SignerPlan) -> None:
    """Open key, records and memory, and serve the socket.

    Raises:
        Refused: the key file, its password, the environment or the database is not as it must be.
        Retryable: the remote signer, the records or the memory cannot be reached.
    """
    leave_no_core()
    # Waited for, not handled: a handler could run where the main thread holds what it needs.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    key = _key(plan)
    signer = open_signer(
        Records(plan.database_url),
        key,
        SlotStore(Path(plan.memory)),
        max_fee_wei=plan.max_fee_wei,
        amounts=AmountLimits(**plan.amounts),
        by_token={token: AmountLimits(**each) for token, each in plan.by_token.items()},
        accept_rail=plan.accept_rail,
        signs=plan.signs,
    )
    server = serve(signer, Path(plan.socket), lambda: datetime.now(UTC))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"signer: {key.address} listens on {plan.socket}", flush=True)
    signal.sigwait(_ENDS)
    server.shutdown()


def _key(plan: SignerPlan) -> KeyHolder:
    require_not_in_environment(os.environ)
    if plan.remote_signer:
        remote = RemoteKey(plan.remote_signer, plan.address)
        remote.require()
        return remote
    if not plan.keystore:
        raise Invalid(
            "nothing says where the key is", field="keystore",
            repair="give --keystore FILE, or --remote-signer URL with --address",
        )  # fmt: skip
    password = read_password(plan.password_fd)
    pair = open_key(Path(plan.keystore), password)
    require_not_in_environment(os.environ, pair.key, password)
    return pair


def leave_no_core() -> None:
    """Let neither a crash nor another process of this user read this one's memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


if __name__ == "__main__":
    main()
