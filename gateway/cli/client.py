"""The gateway's HTTP API as the command line calls it: a key, JSON in and out, refusals as errors.

Decides nothing and retries nothing; a repeated command repeats its Idempotency-Key if it is given.
"""

from __future__ import annotations

import http.client
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from settlement.errors import Invalid, Refused, Retryable

DEFAULT_URL = "http://127.0.0.1:8400"
TIMEOUT_SECONDS = 120
PAGE_MAX = 100
_PIECE = 65_536

Json = dict[str, Any]


class GatewayUnreachable(Retryable):
    """No gateway answers at the address."""

    def __init__(self, url: str, cause: object) -> None:
        super().__init__(f"no gateway answers at {url}: {cause}")
        self.repair = "start one with `settle up`, or give its address with --url or SETTLE_URL"


class NoApiKey(Refused):
    """Nothing says with whose key to call."""


class ApiRefused(Refused):
    """The gateway refused; its own words, fault by fault."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        lines = [str(problem.get("detail") or problem.get("title") or "refused")]
        for fault in problem.get("errors") or []:
            where = " at ".join(str(fault[name]) for name in ("rule_id", "field") if name in fault)
            found = f" (found {fault['found']!r})" if fault.get("found") else ""
            # A refusal with one cause says it once.
            if fault["message"] != lines[0]:
                lines.append(f"  {where}: {fault['message']}{found}")
            if fault.get("repair"):
                lines.append(f"      {fault['repair']}")
        super().__init__("\n".join(lines))
        self.problem = dict(problem)


@dataclass(frozen=True, slots=True)
class Api:
    """A gateway's address and the key that it is called with."""

    url: str
    key: str

    def get(self, path: str, **parameters: object) -> Json:
        """Return what a route shows; parameters that are None are left out.

        Raises:
            ApiRefused, GatewayUnreachable: see there.
        """
        given = {name: str(value) for name, value in parameters.items() if value is not None}
        query = f"?{urlencode(given)}" if given else ""
        return self._call("GET", quote(path) + query, None, {})

    def download(self, path: str, out: BinaryIO, **parameters: object) -> str:
        """Write the file that a route gives to `out`, piece by piece; return its media type.

        Raises as `get`.
        """
        given = {name: str(value) for name, value in parameters.items() if value is not None}
        query = f"?{urlencode(given)}" if given else ""
        with self._answered("GET", quote(path) + query, None, {}) as answer:
            if answer.status >= 400:
                raise ApiRefused(self._json(self._read(answer)))
            expected, count = answer.length, 0
            while piece := self._read(answer, _PIECE):
                count += out.write(piece)
            # A connection that breaks off in the middle looks like the end.
            if expected is not None and count != expected:
                raise GatewayUnreachable(self.url, f"{count} of {expected} bytes came")
            return answer.headers.get("Content-Type", "")

    def pages(
        self,
        path: str,
        *,
        limit: int,
        cursor: str | Callable[[Json], object] = "id",
        place_name: str = "starting_after",
        **more: object,
    ) -> Iterator[Json]:
        """Yield up to `limit` items of a list, page after page, and tell where there are more.

        `cursor` is an item's place, or its name; `place_name` is the parameter that takes it.
        """
        after: object = None
        left = limit
        while True:
            page = self.get(path, limit=min(left, PAGE_MAX), **{place_name: after}, **more)
            yield from page["data"]
            left -= len(page["data"])
            if not page["has_more"] or not page["data"]:
                return
            if left <= 0:
                tell_of_more(limit)
                return
            last = page["data"][-1]
            after = last[cursor] if isinstance(cursor, str) else cursor(last)

    def post(
        self,
        path: str,
        content: bytes | Json | None = None,
        *,
        media_type: str = "application/json",
        idempotency_key: str | None = None,
    ) -> Json:
        """Send a command and return its answer. Raises as `get`."""
        if idempotency_key is None:
            from settlement.clock import new_id

            idempotency_key = new_id("cli")
        body = content if isinstance(content, bytes) else json.dumps(content or {}).encode()
        headers = {"Content-Type": media_type, "Idempotency-Key": idempotency_key}
        return self._call("POST", quote(path), body, headers)

    def _call(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Json:
        with self._answered(method, path, body, headers) as answer:
            found = self._json(self._read(answer))
            if answer.status >= 400:
                raise ApiRefused(found)
        return found

    @contextmanager
    def _answered(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a request and give its answer, to be read until the end of the block."""
        if path.partition("?")[0].endswith("/") or "//" in path:
            raise Invalid("an id is empty", field="id", repair="name what you mean by its id")
        parts = _address(self.url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        try:
            try:
                sent = {"Authorization": f"Bearer {self.key}", **headers}
                connection.request(method, parts.path.rstrip("/") + path, body, sent)
                answer = connection.getresponse()
            except (OSError, UnicodeError, http.client.HTTPException) as error:
                raise GatewayUnreachable(self.url, error) from error
            yield answer
        finally:
            connection.close()

    def _read(self, answer: http.client.HTTPResponse, most: int | None = None) -> bytes:
        try:
            return answer.read(most)
        except (OSError, http.client.HTTPException) as error:
            raise GatewayUnreachable(self.url, error) from error

    def _json(self, content: bytes) -> Json:
        try:
            return dict(json.loads(content))
        except ValueError:
            raise GatewayUnreachable(self.url, f"no JSON ({content[:80]!r})") from None


def tell_of_more(shown: int) -> None:
    """Say on standard error that a list goes on."""
    print(f"{shown} of more: --limit N shows N", file=sys.stderr)


def open_api(url: str, key_file: Path | None, key_name: str | None) -> Api:
    """Return the API with the key that was chosen.

    Looked for in this order: the key file, SETTLE_API_KEY, the keys that `settle up` keeps in
    SETTLE_HOME (`key_name`, or treasury).

    Raises:
        Invalid: the address is none.
        NoApiKey: there is none, or others may read its file, or the file holds something else.
    """
    _address(url)
    if key_file is not None:
        return Api(url, _key_of(key_file, key_name))
    if key_name is None and os.environ.get("SETTLE_API_KEY"):
        return Api(url, _sound(os.environ["SETTLE_API_KEY"].strip(), "SETTLE_API_KEY"))
    kept = Path(os.environ.get("SETTLE_HOME", ".settle")) / "keys" / "api-keys.json"
    if not kept.exists():
        raise NoApiKey(
            "there is no API key",
            repair="set SETTLE_API_KEY, give --key-file, or run beside a `settle up` (SETTLE_HOME)",
        )
    return Api(url, _key_of(kept, key_name))


def _address(url: str) -> SplitResult:
    """Return the parts of a gateway's address. Before the key is sent anywhere.

    Raises:
        Invalid: another scheme than http and https, no host, no port that there is.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            raise ValueError("it does not begin with http:// or https://")
        if not parts.hostname or not url.isascii() or any(map(str.isspace, url)):
            raise ValueError("it names no host")
        if parts.port == 0:
            raise ValueError("port 0 is none")
    except ValueError as error:
        raise Invalid(
            f"{url[:200]!r} is no gateway's address: {error}",
            field="--url",
            repair="write it as http://127.0.0.1:8400 or https://rail.example (--url, SETTLE_URL)",
        ) from None
    return parts


def _key_of(path: Path, name: str | None) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise NoApiKey(f"the key file cannot be read: {error}", repair="check --key-file") from None
    except UnicodeDecodeError:
        raise _no_key(path) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise NoApiKey(f"others may read {path}", repair=f"chmod 600 {path}, and use a new key")
    if not content.startswith(("{", "[")):
        return _sound(content, path)
    try:
        keys = json.loads(content)
    except ValueError:
        raise _no_key(path) from None
    if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys.values()):
        raise _no_key(path)
    wanted = name or "treasury"
    if wanted not in keys:
        raise NoApiKey(f"{path} has no key {wanted!r}", repair=f"use one of: {', '.join(keys)}")
    return _sound(keys[wanted], path)


def _sound(key: str, place: object) -> str:
    """Return a key if it can be one; anything else is not sent."""
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise _no_key(place)
    return key


def _no_key(place: object) -> NoApiKey:
    return NoApiKey(
        f"{place} holds no API key",
        field="--key-file",
        repair="put one key alone on its one line, as `settle key issue` printed it, or name"
        " the api-keys.json of a `settle up`",
    )
