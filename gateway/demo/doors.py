"""The demo's people at the gateway's doors: HTTP with their API keys, and nothing else.

Knows no rule; what the gateway answers is what the demo believes.
"""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from settlement.errors import Fatal


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of an answer; `body` is parsed JSON."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        """Whether the request was accepted."""
        return self.status < 400

    def rule_ids(self) -> list[str]:
        """Return the ids of the rules that a refused document breaks."""
        failures = self.body.get("errors", []) if isinstance(self.body, dict) else []
        return list(dict.fromkeys(str(each.get("rule_id") or each["field"]) for each in failures))


class UnexpectedAnswer(Fatal):
    """The gateway refused what should have worked: the demo cannot go on."""


class Doors:
    """One keep-alive connection to a gateway; every call names the person whose key it uses."""

    def __init__(self, url: str, keys: Mapping[str, str]) -> None:
        self._place = urlsplit(url).netloc
        self._keys = keys
        self._connection = http.client.HTTPConnection(self._place, timeout=120)

    def post(
        self, person: str, path: str, body: bytes | dict[str, Any] | None = None,
        *, media_type: str = "application/json",
    ) -> Answer:  # fmt: skip
        """Send `body` under a new Idempotency-Key."""
        content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        headers = {"Content-Type": media_type, "Idempotency-Key": uuid.uuid4().hex}
        return self._ask(person, "POST", path, content, headers)

    def must_post(self, person: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send and return the answer's body.

        Raises:
            UnexpectedAnswer: it was refused.
        """
        answer = self.post(person, path, body)
        if not answer.ok:
            raise UnexpectedAnswer(f"POST {path} as {person}: {answer.status} {answer.body}")
        return answer.body

    def get(self, person: str, path: str) -> Any:
        """Read and return the answer's body.

        Raises:
            UnexpectedAnswer: it was refused.
        """
        answer = self._ask(person, "GET", path, b"", {})
        if not answer.ok:
            raise UnexpectedAnswer(f"GET {path} as {person}: {answer.status} {answer.body}")
        return answer.body

    def download(self, person: str, path: str) -> bytes:
        """Read a file.

        Raises:
            UnexpectedAnswer: it was refused.
        """
        status, content = self._send(person, "GET", path, b"", {})
        if status >= 400:
            raise UnexpectedAnswer(f"GET {path} as {person}: {status} {content[:500]!r}")
        return content

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _ask(
        self, person: str, method: str, path: str, content: bytes, headers: dict[str, str]
    ) -> Answer:
        status, text = self._send(person, method, path, content, headers)
        return Answer(status, json.loads(text) if text else None)

    def _send(
        self, person: str, method: str, path: str, content: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        headers = {**headers, "Authorization": f"Bearer {self._keys[person]}"}
        self._connection.request(method, path, content or None, headers)
        response = self._connection.getresponse()
        return response.status, response.read()
