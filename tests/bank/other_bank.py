"""A bank that we did not write, on loopback: it reads our orders, its clock is moved by hand."""

import http.client
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from mockbank.server import Config, make_server

from settlement.documents.iso20022.pain001 import BankOrder, BankPayment, pain001
from settlement.documents.iso20022.values import Agent, CashAccount, Party

US = "ACME"
THEIR_IBAN, THEIR_BIC = "NL14MOCK0000000002", "MOCKNL2A"
CLOSED, BANK_UNKNOWN = "NL84MOCK0000000003", "NL57MOCK0000000004"
"""Accounts of creditors that the bank pays nothing to."""
FIRST_DAY = date(2026, 11, 23)
_CREATED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_STATUS = re.compile(
    r"<OrgnlEndToEndId>([^<]+)</OrgnlEndToEndId><TxSts>(\w+)</TxSts>"
    r"(?:<StsRsnInf><Rsn><Cd>(\w+)</Cd>)?"
)


@dataclass(frozen=True)
class OtherBank:
    """The bank's door, and our account there."""

    port: int

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask it something; bytes go as they are, all else as JSON."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, content)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    @property
    def account(self) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/_mock/accounts/{US}")[1]
        return found

    def behave(self, behaviour: str, **parameters: Any) -> None:
        """Say how the bank is to fail from now on."""
        body = {"behaviour": behaviour, "parameters": parameters}
        status, answer = self.call("PATCH", f"/_mock/accounts/{US}", body)
        assert status == 200, answer

    def order(
        self, message_id: str, amounts: Sequence[int], creditors: Sequence[str] = ()
    ) -> bytes:
        """Return our pain.001 for payments of these cents."""
        ours = self.account
        payments = [
            BankPayment(
                f"{message_id}-{place}", minor, Party("Globex", country="NL", town="Rotterdam"),
                CashAccount(iban=creditors[place] if place < len(creditors) else THEIR_IBAN),
                Agent(bic=THEIR_BIC),
                remittance=f"Invoice RE-{place}",
            )
            for place, minor in enumerate(amounts)
        ]  # fmt: skip
        debtor = Party("Acme", country="NL", town="Amsterdam")
        order = BankOrder(
            message_id, debtor, CashAccount(iban=ours["iban"]), ours["currency"], FIRST_DAY,
            payments, Agent(bic=ours["bic"]),
        )  # fmt: skip
        return pain001(order, created_at=_CREATED)

    def send(self, order: bytes) -> tuple[int, Any]:
        """Send a pain.001."""
        return self.call("POST", "/payments", order)

    def advance(self, days: int) -> None:
        """Let days pass."""
        assert self.call("POST", f"/_mock/advance?days={days}")[0] == 200

    def letters(self, kind: str) -> list[bytes]:
        """Return the messages of a kind about our account that we have not read yet."""
        found = self.call("GET", f"/_mock/mailbox?type={kind}")[1]
        return [each["body"].encode() for each in found if each["account"] == US]

    def statuses(self) -> dict[str, tuple[str, str | None]]:
        """Return what the bank's reports say of each payment: status and reason."""
        told: dict[str, tuple[str, str | None]] = {}
        for body in self.letters("pain.002.001.10"):
            for end_to_end, status, reason in _STATUS.findall(body.decode()):
                told[end_to_end] = (status, reason or None)
        return told


@contextmanager
def an_other_bank() -> Iterator[OtherBank]:
    """Open the bank on a Monday morning."""
    clock = f"{FIRST_DAY.isoformat()}T09:00"
    server = make_server(Config(port=0, quiet=True, clock=clock))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield OtherBank(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
