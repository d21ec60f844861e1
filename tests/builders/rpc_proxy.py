"""A JSON-RPC proxy on loopback before a real node, with faults that can be armed while it runs.

It counts what was asked, what went on to the node and which faults struck. Another process steers
it by calls to the same address: `steer(url, "arm", fault=…)`, `disarm`, `counts`, `point`.
"""

from __future__ import annotations

import http.client
import select
import threading
from collections import Counter
from fnmatch import fnmatchcase
from random import Random
from typing import Any
from urllib.parse import urlsplit

import orjson

from tests.builders.rpc_faults import ALONE, EDITS, Call, Rule, swallowed
from tests.builders.wire import Dripping, Wire
from tests.builders.wire import http as on_the_wire

_UPSTREAM_SECONDS = 120.0
_CONTROL = "proxy_"


Struck = list[tuple[Rule, list[int]]]
"""Rules that strike a request, each with the places of the calls that it strikes."""


class RpcProxy(Wire):
    """A node's stand-in at `url`; `upstream` is where the true node is."""

    def __init__(self, upstream: str, seed: int = 0, port: int = 0) -> None:
        self.upstream = upstream
        self.asked: Counter[str] = Counter()
        self.forwarded: Counter[str] = Counter()
        """Calls by method that reached the node on a client's behalf."""
        self.struck: Counter[str] = Counter()
        self._rules: list[Rule] = []
        self._draw = Random(seed)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._mine = threading.local()
        super().__init__(self._relay, port)

    def arm(self, fault: str, **terms: Any) -> Rule:
        """Add a rule; see `Rule`. Of several that match, all strike."""
        rule = Rule(fault, **terms)
        with self._lock:
            self._rules.append(rule)
        return rule

    def disarm(self) -> None:
        """Tell the truth from now on."""
        with self._lock:
            self._rules.clear()

    def point(self, upstream: str) -> None:
        """Stand before another node from now on."""
        self.upstream = upstream

    def counts(self) -> dict[str, dict[str, int]]:
        """Return what was asked, forwarded and struck, by method and by fault."""
        with self._lock:
            return {
                "asked": dict(self.asked),
                "forwarded": dict(self.forwarded),
                "struck": dict(self.struck),
            }

    def ask(self, method: str, *params: object) -> Any:
        """Ask the true node, uncounted and without any fault."""
        call = {"jsonrpc": "2.0", "id": 0, "method": method, "params": params}
        return self._upstream([call], single=True)[0].get("result")

    def close(self) -> None:
        self._closing.set()
        super().close()
        self._on_hang_up()

    def _relay(self, request: Any) -> bytes | None:
        calls = request if isinstance(request, list) else [request]
        if calls and calls[0]["method"].startswith(_CONTROL):
            return on_the_wire(orjson.dumps(self._control(calls[0])))
        with self._lock:
            struck = self._strike(calls)
        refusal = self._before(struck)
        if refusal is not None:
            return refusal or None
        answers = self._answers(calls, struck, single=not isinstance(request, list))
        refusal = self._after(struck)
        if refusal is not None:
            return refusal or None
        return self._shaped(answers, struck, single=not isinstance(request, list))

    def _strike(self, calls: list[Call]) -> Struck:
        struck: Struck = []
        self.asked.update(call["method"] for call in calls)
        for rule in self._rules:
            if rule.fault in EDITS or rule.fault in ALONE or rule.fault == "refuse_after":
                places = [
                    place
                    for place, call in enumerate(calls)
                    if rule.strikes(call["method"], self._draw)
                ]
            else:  # It is the whole request that is struck, once.
                fitting = [call for call in calls if fnmatchcase(call["method"], rule.method)]
                is_struck = bool(fitting) and rule.strikes(fitting[0]["method"], self._draw)
                places = list(range(len(calls))) if is_struck else []
            if places:
                struck.append((rule, places))
                self.struck[rule.fault] += 1
        return struck

    def _before(self, struck: Struck) -> bytes | None:
        """Return what is said without asking the node; empty: nothing, the line is closed."""
        for rule, _ in struck:
            match rule.fault:
                case "delay":
                    self._closing.wait(rule.number / 1000)
                case "drop_before":
                    return b""
                case "reset_before":
                    raise ConnectionResetError
                case "too_many":
                    wait = f"Retry-After: {rule.number or 1}\r\n"
                    return on_the_wire(b"slow down", status="429 Too Many Requests", headers=wait)
                case "server_error":
                    return _page(rule.number)
        return None

    def _after(self, struck: Struck) -> bytes | None:
        for rule, _ in struck:
            match rule.fault:
                case "delay_after":
                    self._closing.wait(rule.number / 1000)
                case "drop_after":
                    return b""
                case "reset":
                    raise ConnectionResetError
                case "server_error_after":
                    return _page(rule.number)
        return None

    def _answers(self, calls: list[Call], struck: Struck, *, single: bool) -> list[Any]:
        """Ask the node what is to be asked, and edit what it says."""
        alone: dict[int, Any] = {}
        for rule, places in struck:
            if rule.fault in ALONE:
                alone |= {place: _unforwarded(rule, calls[place]) for place in places}
        forwarded = [call for place, call in enumerate(calls) if place not in alone]
        times = 2 if any(rule.fault == "duplicate" for rule, _ in struck) else 1
        found: list[Any] = []
        for _ in range(times if forwarded else 0):
            with self._lock:
                self.forwarded.update(call["method"] for call in forwarded)
            found = self._upstream(forwarded, single=single)
        by_id = {answer.get("id"): answer for answer in found}
        answers = [
            alone[place] if place in alone else by_id[call["id"]]
            for place, call in enumerate(calls)
        ]
        for rule, places in struck:
            for place in places:
                answers[place] = self._edited(rule, calls[place], answers[place])
        return answers

    def _edited(self, rule: Rule, call: Call, answer: Any) -> Any:
        if rule.fault == "refuse_after":
            return _refusal(rule, call)
        edit = EDITS.get(rule.fault)
        if edit is None or "result" not in answer:
            return answer
        return {**answer, "result": edit(call, answer["result"], rule.number, self, self._draw)}

    def _shaped(self, answers: list[Any], struck: Struck, *, single: bool) -> bytes:
        faults = {rule.fault: rule for rule, _ in struck}
        if "shuffled" in faults:
            answers = answers[::-1]
        if "wrong_id" in faults:
            answers = [{**answer, "id": answer["id"] + 1_000_000} for answer in answers]
        body = orjson.dumps(answers[0] if single else answers)
        said, self._mine.said = getattr(self._mine, "said", body), body
        if "previous_answer" in faults:
            body = said
        if "truncated" in faults:
            body = body[: len(body) // 2]
        length = 2 * len(body) if "short_body" in faults else None
        whole = on_the_wire(body, length=length)
        if "answer_twice" in faults:
            whole += whole
        if "drip" in faults:
            whole = Dripping(whole)
            whole.seconds = faults["drip"].number / 1000
        return whole

    def _upstream(self, calls: list[Call], *, single: bool) -> list[Any]:
        body = orjson.dumps(calls[0] if single else calls)
        try:
            found = orjson.loads(self._exchange(body))
        except (OSError, http.client.HTTPException, orjson.JSONDecodeError) as error:
            raise ConnectionResetError from error
        return [found] if single else found

    def _exchange(self, body: bytes) -> bytes:
        """Send once; a line that the node has closed while it was idle is not used again."""
        line = getattr(self._mine, "line", None)
        parts = urlsplit(self.upstream)
        if line is not None and (line.port != parts.port or _is_over(line)):
            line.close()
            line = None
        if line is None:
            line = http.client.HTTPConnection(
                parts.hostname or "", parts.port, timeout=_UPSTREAM_SECONDS
            )
            line.connect()
            self._mine.line = line
        try:
            line.request("POST", parts.path or "/", body, {"Content-Type": "application/json"})
            return bytes(line.getresponse().read())
        except BaseException:
            self._on_hang_up()
            raise

    def _on_hang_up(self) -> None:
        line, self._mine.line = getattr(self._mine, "line", None), None
        if line is not None:
            line.close()

    def _control(self, call: Call) -> dict[str, Any]:
        terms: Any = call.get("params") or {}
        acts = {
            "arm": lambda: bool(self.arm(**terms)),
            "disarm": self.disarm,
            "counts": self.counts,
            "point": lambda: self.point(**terms),
        }
        act = acts[call["method"].removeprefix(_CONTROL)]
        return {"jsonrpc": "2.0", "id": call["id"], "result": act()}


def steer(url: str, act: str, **terms: Any) -> Any:
    """Steer a proxy from another process: `arm`, `disarm`, `counts` or `point`."""
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    call = {"jsonrpc": "2.0", "id": 0, "method": _CONTROL + act, "params": terms}
    try:
        line.request("POST", "/", orjson.dumps(call))
        return orjson.loads(line.getresponse().read())["result"]
    finally:
        line.close()


def _unforwarded(rule: Rule, call: Call) -> dict[str, Any]:
    if rule.fault == "refuse":
        return _refusal(rule, call)
    return {"jsonrpc": "2.0", "id": call["id"], "result": swallowed(call)}


def _refusal(rule: Rule, call: Call) -> dict[str, Any]:
    error = {"code": rule.number or -32000, "message": rule.words or "internal error"}
    return {"jsonrpc": "2.0", "id": call["id"], "error": error}


def _page(status: int) -> bytes:
    body = b"<html><body><h1>the gateway has failed</h1></body></html>"
    return on_the_wire(body, status=f"{status or 502} Bad Gateway")


def _is_over(line: http.client.HTTPConnection) -> bool:
    poll = select.poll()
    if line.sock is not None:
        poll.register(line.sock, select.POLLIN)
    return line.sock is None or bool(poll.poll(0))
