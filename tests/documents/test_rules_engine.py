"""The worker processes: ended when a document takes too much, replaced, recycled, never left."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from settlement.documents.errors import (
    DocumentTooLarge,
    DocumentUnreadable,
    RulesEngineBusy,
    RulesEngineClosed,
)
from settlement.documents.model import InvoiceDocument
from settlement.documents.rules_engine import RulesEngine, RulesLimits
from settlement.documents.worker_process import WorkerDied, WorkerProcess
from tests.documents.builders import a_document, a_json, outcome, rule_ids

UBL = "ubl-01-ring-spinning-parts"


def _workers() -> list[int]:
    """The rule workers that are children of this process."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == str(os.getpid()) and b"rules_worker" in command:
            found.append(int(entry.name))
    return found


def _has_ended(process: int) -> bool:
    """Wait, at most a minute, until a process of ours is gone."""
    try:
        ending = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(ending, select.POLLIN)
    try:
        return bool(poll.poll(60_000))
    finally:
        os.close(ending)


def test_outcomes_come_in_the_order_of_the_documents(rules: RulesEngine) -> None:
    good, bad = a_document(UBL), b"<a/>"

    results = rules.validate_many([good, bad, good, bad])

    assert [isinstance(result, InvoiceDocument) for result in results] == [True, False, True, False]


def test_a_killed_worker_is_replaced_and_its_document_judged() -> None:
    before = set(_workers())
    with RulesEngine() as engine:
        assert isinstance(outcome(a_document(UBL), engine), InvoiceDocument)
        (worker,) = set(_workers()) - before
        os.kill(worker, signal.SIGKILL)

        assert isinstance(outcome(a_document(UBL), engine), InvoiceDocument)
        assert worker not in _workers()
    assert set(_workers()) == before


def test_a_document_that_takes_too_long_is_refused_and_the_next_one_judged() -> None:
    with RulesEngine(RulesLimits(seconds_a_document=0.5)) as engine:
        text = a_document("ubl-05-service-several-rates").decode()
        start, end = text.index("<cac:TaxSubtotal>"), text.rindex("</cac:TaxSubtotal>")
        part = text[start : end + len("</cac:TaxSubtotal>")]
        heavy = text.replace(part, part * 4_000).encode()
        assert len(heavy) < 10_000_000

        slow = outcome(heavy, engine)
        engine.limits = RulesLimits()  # A new worker's first document may take as long as it will.
        good = outcome(a_document(UBL), engine)

    assert isinstance(slow, DocumentUnreadable)
    assert rule_ids(slow) == {"SR-LIMIT"}
    assert isinstance(good, InvoiceDocument)


def test_a_document_that_takes_too_much_memory_is_refused() -> None:
    with RulesEngine(RulesLimits(memory_mb=420)) as engine:
        lines = "<a b='1'><c>text</c></a>" * 90_000
        text = a_document(UBL).decode().replace("</cbc:Note>", f"</cbc:Note>{lines}")

        result = outcome(text.encode(), engine)
        good = outcome(a_document(UBL), engine)

    assert isinstance(result, DocumentTooLarge)
    assert isinstance(good, InvoiceDocument)


def test_a_worker_is_recycled_after_its_documents() -> None:
    before = set(_workers())
    with RulesEngine(RulesLimits(documents_a_worker=2)) as engine:
        engine.validate_many([b"<a/>"] * 2)
        first = set(_workers()) - before
        engine.validate_many([b"<a/>"])
        second = set(_workers()) - before

    assert len(first) == len(second) == 1
    assert first != second


def test_more_than_may_wait_is_refused_for_now() -> None:
    with RulesEngine(RulesLimits(waiting_max=3)) as engine:
        futures = []
        with pytest.raises(RulesEngineBusy):
            for _ in range(20):
                futures.append(engine.submit(a_document(UBL)))

        assert all(isinstance(future.result(), InvoiceDocument) for future in futures)


def test_a_closed_engine_refuses_and_keeps_no_process() -> None:
    before = set(_workers())
    engine = RulesEngine()
    with pytest.raises(RulesEngineClosed):
        engine.submit(b"<a/>")
    engine.start()
    engine.validate_many([b"<a/>"])
    waiting = [engine.submit(a_document(UBL)) for _ in range(50)]
    engine.close()
    engine.close()

    assert set(_workers()) == before
    assert all(future.done() for future in waiting)
    assert any(isinstance(future.exception(), RulesEngineClosed) for future in waiting)
    with pytest.raises(RulesEngineClosed):
        engine.submit(b"<a/>")


def test_an_idle_worker_is_given_back() -> None:
    before = set(_workers())
    with RulesEngine(RulesLimits(idle_seconds=1.0)) as engine:
        engine.validate_many([b"<a/>"])
        (worker,) = set(_workers()) - before

        assert _has_ended(worker)
        assert isinstance(outcome(a_document(UBL), engine), InvoiceDocument)


def test_a_worker_that_cannot_start_is_no_fault_of_the_document() -> None:
    with pytest.raises(WorkerDied):
        WorkerProcess(memory_mb=30, start_seconds=30)
    with RulesEngine(RulesLimits(memory_mb=30)) as engine, pytest.raises(RulesEngineClosed):
        engine.submit(a_document(UBL)).result()


def test_json_needs_no_worker_and_importing_loads_no_rule_engine() -> None:
    program = (
        "import sys, json; from settlement.documents import intake, rules_engine;"
        "engine = rules_engine.RulesEngine();"
        "print(intake.read(sys.stdin.buffer.read(), engine=engine).number);"
        "print([n for n in ('saxonche', 'pypdf', 'facturx') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(a_json()).encode(),
        capture_output=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )

    assert done.stdout.decode().split("\n")[:2] == ["HM-2026-00417", "[]"]
