"""The signer as its own process: what it refuses to start with, and that its secrets stay in it."""

import base64
import os
import resource
import secrets
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from settlement.chain.keystore import save_key
from settlement.signer import Signature, SigningRequest
from settlement.signer.socket import SocketSigner
from tests.builders.rail import OPERATOR, Rail
from tests.signer.asking import GWEI, claimed_batch
from tests.signer.web3signer import a_web3signer

PASSWORD = "correct horse battery staple"
QUICK = 2
READY_SECONDS = 60


@dataclass
class Signers:
    """Starts `settle signer` in a home of its own, and ends what was started."""

    home: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def keystore(self) -> Path:
        path = self.home / "operator.json"
        if not path.exists():
            save_key(path, OPERATOR.key, PASSWORD, work_factor=QUICK)
        return path

    @property
    def log(self) -> Path:
        return self.home / "signer.log"

    def start(
        self, *options: str, password: str = PASSWORD, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """With the key file if no options are given."""
        read_end, write_end = os.pipe()
        os.write(write_end, password.encode() + b"\n")
        os.close(write_end)
        chosen = options or ("--keystore", str(self.keystore), "--password-fd", str(read_end))
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "signer", *chosen],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(read_end,),
                env={**os.environ, "SETTLE_HOME": str(self.home), **(environment or {})},
            )  # fmt: skip
        os.close(read_end)
        self.started.append(process)
        return process

    def ready(self, *options: str, **changes: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """A process that listens."""
        process = self.start(*options, **changes)  # type: ignore[arg-type]
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(self.home / "signer.sock")) == 0:
                    return process
            assert process.poll() is None, self.log.read_text()
            select.select([], [], [], 0.05)
        raise AssertionError(f"not ready: {self.log.read_text()}")

    def refused(self, *options: str, **changes: object) -> str:
        """What a process said that did not start."""
        process = self.start(*options, **changes)  # type: ignore[arg-type]
        assert process.wait(READY_SECONDS) == 1, self.log.read_text()
        said = self.log.read_text()
        assert said.startswith("settle: ") and "Traceback" not in said, said
        assert not (self.home / "signer.sock").exists()
        for secret in secrets_of(PASSWORD):
            assert secret not in said.encode()
        return said


@pytest.fixture
def signers(sqlite_rail: Rail, tmp_path: Path) -> Iterator[Signers]:
    """A home with a founded rail's database, and no signer yet."""
    made = Signers(tmp_path)
    assert (tmp_path / "settle.sqlite3").exists()
    yield made
    for process in made.started:
        process.kill()
        process.wait()


def secrets_of(password: str) -> list[bytes]:
    """The key and the password in every form in which they might get out."""
    key = OPERATOR.key
    return [
        key, key.hex().encode(), key.hex().upper().encode(), base64.b64encode(key).rstrip(b"="),
        str(int.from_bytes(key, "big")).encode(), repr(key).encode(), password.encode(),
        base64.b64encode(password.encode()).rstrip(b"="), password.encode().hex().encode(),
    ]  # fmt: skip


def test_a_wrong_password_is_refused(signers: Signers) -> None:
    assert "does not open the key file" in signers.refused(password="wrong horse")


def test_a_key_file_with_a_flipped_byte_is_refused(signers: Signers) -> None:
    content = bytearray(signers.keystore.read_bytes())
    place = content.index(b'"ciphertext":"') + len(b'"ciphertext":"')
    content[place] = ord("0") if content[place] != ord("0") else ord("1")
    signers.keystore.write_bytes(content)

    assert "does not open the key file" in signers.refused()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_file_that_others_may_read_is_refused(signers: Signers, mode: int) -> None:
    signers.keystore.chmod(mode)

    assert f"chmod 600 {signers.keystore}" in signers.refused()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("SETTLE_OPERATOR_KEY", "anything"),
        ("SETTLE_PASSWORD", "anything"),
        ("WHATEVER", "0x" + OPERATOR.key.hex()),
        ("WHATEVER", f"--key={OPERATOR.key.hex().upper()}"),
        ("WHATEVER", PASSWORD),
    ],
    ids=["named as a key", "named as a password", "a key", "a key in capitals", "the password"],
)
def test_a_key_or_password_in_the_environment_is_refused(
    signers: Signers, name: str, content: str
) -> None:
    said = signers.refused(environment={name: content})

    assert f"the environment variable {name} holds" in said


def test_a_database_of_another_rail_is_refused_until_it_is_accepted(
    signers: Signers, sqlite_rail: Rail
) -> None:
    process = signers.ready()
    process.terminate()
    assert process.wait(READY_SECONDS) == 0
    (signers.home / "signer.sock").unlink()
    other = "0x" + "ab" * 20
    sqlite_rail.write("UPDATE deployment SET rail = :rail", rail=other)
    signers.log.write_text("")

    assert f"the database names the rail {other}" in signers.refused()

    key = ("--keystore", str(signers.keystore), "--accept-rail", other)
    read_end, write_end = os.pipe()
    os.write(write_end, PASSWORD.encode() + b"\n")
    os.close(write_end)
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "signer", *key, "--password-fd", str(read_end)],
        pass_fds=(read_end,), env={**os.environ, "SETTLE_HOME": str(signers.home)},
        stdout=subprocess.PIPE,
    )  # fmt: skip
    os.close(read_end)
    signers.started.append(process)
    assert process.stdout is not None
    with process.stdout:
        assert OPERATOR.address.encode() in process.stdout.readline()


def test_a_remote_key_needs_its_address_and_its_host(signers: Signers) -> None:
    assert "either in a file or with a remote" in signers.refused("--remote-signer", "http://x")
    signers.log.write_text("")
    open_remote = ("--remote-signer", "http://signer.example", "--address", OPERATOR.address)
    assert "without encryption" in signers.refused(*open_remote)
    signers.log.write_text("")
    nobody = ("--remote-signer", "http://127.0.0.1:1", "--address", OPERATOR.address)
    assert "does not answer" in signers.refused(*nobody)


def test_the_process_signs_with_a_remote_key(signers: Signers, sqlite_rail: Rail) -> None:
    key = claimed_batch(sqlite_rail)
    with a_web3signer(OPERATOR.key) as remote:
        signers.ready("--remote-signer", remote.url, "--address", OPERATOR.address)

        (answer,) = SocketSigner(signers.home / "signer.sock").sign(
            [SigningRequest(key, 3 * GWEI, GWEI, as_cancel=True)], sqlite_rail.now
        )

        assert isinstance(answer, Signature)
        assert len(remote.payloads) == 1


def test_it_loads_no_web_and_no_database_library(signers: Signers) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c",
         "import sys, gateway.signer_process; print(*sorted(sys.modules), sep='\\n')"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip

    heavy = {"sqlalchemy", "sqlmodel", "pydantic", "web3", "eth_account", "fastapi", "alembic"}
    assert heavy.isdisjoint(loaded)


def test_key_and_password_are_nowhere_but_in_the_process(
    signers: Signers, sqlite_rail: Rail, tmp_path: Path
) -> None:
    """It signs, is asked for garbage, crashes; then everything that it left is searched."""
    core_before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (core_before[1], core_before[1]))
    key = claimed_batch(sqlite_rail)
    process = signers.ready()
    proc = Path(f"/proc/{process.pid}")
    seen = {name: (proc / name).read_bytes() for name in ("cmdline", "environ", "limits")}
    signer = SocketSigner(signers.home / "signer.sock")
    answers = signer.sign([SigningRequest(key, 3 * GWEI, GWEI, as_cancel=True)], sqlite_rail.now)
    seen["answer"] = repr(answers).encode() + answers[0].raw  # type: ignore[union-attr]
    for line in (b"{}\n", b'{"ask":"key"}\n', b'{"ask":"sign","requests":[[1]]}\n', b"\xff\n"):
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(signers.home / "signer.sock"))
            caller.sendall(line)
            seen[repr(line)] = caller.recv(1 << 16)
    with closing(sqlite3.connect(signers.home / "signer.sqlite3")) as memory:
        memory.execute("DROP TABLE bid")
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(signers.home / "signer.sock"))
        caller.sendall(f'{{"ask":"sign","requests":[["{key}",3,1,true]]}}\n'.encode())
        seen["failure"] = caller.recv(1 << 16)
    process.send_signal(signal.SIGSEGV)

    assert process.wait(READY_SECONDS) == -signal.SIGSEGV

    resource.setrlimit(resource.RLIMIT_CORE, core_before)
    for path in sorted([*tmp_path.rglob("*"), *Path.cwd().glob("core*")]):
        if path.is_file():
            seen[str(path)] = path.read_bytes()
    assert len(seen) > 10 and b"cannot" not in seen["answer"]
    assert b"no such table" in seen["failure"]
    assert b"Max core file size        0" in seen["limits"]
    found = [
        (place, secret)
        for place, content in seen.items()
        for secret in secrets_of(PASSWORD)
        if secret in content
    ]
    assert found == []
    assert any(OPERATOR.address.encode() in content for content in seen.values()), "it can find"


def test_nobody_dumps_the_memory_of_the_process() -> None:
    program = (
        "import ctypes, resource; from gateway.signer_process import leave_no_core\n"
        "dumpable = lambda: ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)\n"
        "before = dumpable(); leave_no_core()\n"
        "print(before, dumpable(), *resource.getrlimit(resource.RLIMIT_CORE))"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout

    assert said.split() == [b"1", b"0", b"0", b"0"]


def test_a_made_up_secret_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "leak.log").write_text(f"key={OPERATOR.key.hex()} {secrets.token_hex(8)}")

    assert any(each in (tmp_path / "leak.log").read_bytes() for each in secrets_of(PASSWORD))
