"""JSON-RPC: in batches over one HTTP connection, or by calls in this process.

Retries nothing: what cannot be read cannot be judged.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 60


class NotJudged(Exception):
    """The checker could not see what it has to judge."""


Call: TypeAlias = Callable[[str, Sequence[Any]], Any]
"""A node in this process: given method and parameters, returns the result as JSON has it."""


class Line(Protocol):
    """The way to a node."""

    def many(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Return the results of `calls` in their order.

        Raises:
            NotJudged: the node did not answer, refused a call, or left one out.
        """

    def close(self) -> None:
        """Give the connection back."""


def line_to(node: str | Call) -> Line:
    """Return the way to a node, given by its address or as a callable.

    Raises:
        NotJudged: the address is none.
    """
    return Http(node) if isinstance(node, str) else Direct(node)


class Direct:
    """A node in this process."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def many(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """See `Line.many`; what the callable raises passes through."""
        return [self._call(method, params) for method, params in calls]

    def close(self) -> None:
        """See `Line.close`."""


class Http:
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

    def many(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """See `Line.many`; asked in one request."""
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
        """See `Line.close`."""
        self._line.close()

    def _in_order(self, answers: Any, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
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
