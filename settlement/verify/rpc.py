"""JSON-RPC in batches over one HTTP connection.

Retries nothing: what cannot be read cannot be judged.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 60


class NotJudged(Exception):
    """The checker could not see what it has to judge."""


class Rpc:
    """A node's address, and the connection to it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotJudged(f"{url!r} is no http:// or https:// address")
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._url = url
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._line = kind(parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS)

    def one(self, method: str, *params: object) -> Any:
        """Return the result of one call."""
        return self.many([(method, params)])[0]

    def many(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        """Return the results of `calls` in their order, asked in one request.

        Raises:
            NotJudged: the node did not answer, refused a call, or left one out.
        """
        if not calls:
            return []
        body = json.dumps(
            [
                {"jsonrpc": "2.0", "id": place, "method": method, "params": list(params)}
                for place, (method, params) in enumerate(calls)
            ]
        )
        try:
            self._line.request("POST", self._path, body, {"Content-Type": "application/json"})
            response = self._line.getresponse()
            answers = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._line.close()
            raise NotJudged(f"the node at {self._url} did not answer: {error!r}") from error
        return self._in_order(answers, calls)

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def _in_order(self, answers: Any, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        if not isinstance(answers, list):
            raise NotJudged(f"the node at {self._url} answers no batches: {str(answers)[:200]}")
        found: dict[int, Any] = {}
        for answer in answers:
            if "result" not in answer:
                method = calls[answer["id"]][0] if isinstance(answer.get("id"), int) else "a call"
                raise NotJudged(f"the node refused {method}: {str(answer.get('error'))[:200]}")
            found[answer["id"]] = answer["result"]
        if sorted(found) != list(range(len(calls))):
            raise NotJudged(f"the node answered {len(found)} of {len(calls)} calls")
        return [found[place] for place in range(len(calls))]
