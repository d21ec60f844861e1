"""The check for known vulnerabilities: what was not asked is never called clean."""

import json
import subprocess
from typing import Any

from scripts.parts import audit


def _ran(stdout: Any, stderr: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
    text = stdout if isinstance(stdout, str) else json.dumps(stdout)
    return subprocess.CompletedProcess([], code, text, stderr)


def test_packages_without_a_known_vulnerability_are_clean() -> None:
    said = {"dependencies": [{"name": "fastapi", "version": "1", "vulns": []}], "fixes": []}

    found = audit.judged_python("requirements.lock", _ran(said))

    assert (found["status"], found["found"]) == ("clean", [])


def test_a_vulnerability_is_named_with_its_package() -> None:
    said = {"dependencies": [{"name": "jinja2", "version": "1", "vulns": [{"id": "GHSA-1"}]}]}

    found = audit.judged_python("requirements.lock", _ran(said, code=1))

    assert (found["status"], found["found"]) == ("found", ["jinja2 1: GHSA-1"])


def test_a_source_that_does_not_answer_is_said_to_be_not_run() -> None:
    failed = "Traceback\nConnectionError: failed to resolve https://osv.example/v1"

    for found in (
        audit.judged_python("requirements.lock", _ran("", failed, 1)),
        audit.judged_contracts("contracts", _ran({"message": "405"}, "npm error audit", 1)),
        audit.judged_python("requirements.lock", _ran({"dependencies": []})),
    ):
        assert found["status"] == "not run", found
    assert "osv.example" not in str(found)


def test_a_package_that_was_skipped_is_not_called_clean() -> None:
    said = {"dependencies": [{"name": "ours", "skip_reason": "unknown"}]}

    assert audit.judged_python("requirements.lock", _ran(said))["status"] == "not run"


def test_npms_answer_is_read() -> None:
    metadata = {"dependencies": {"total": 3}}
    clean = {"vulnerabilities": {}, "metadata": metadata}
    bad = {"vulnerabilities": {"left-pad": {"severity": "high"}}, "metadata": metadata}

    assert audit.judged_contracts("contracts", _ran(clean))["status"] == "clean"
    assert audit.judged_contracts("contracts", _ran(bad))["found"] == ["left-pad: high"]


def test_the_worst_part_decides() -> None:
    assert audit.worst(["clean", "not run", "found"]) == "found"
    assert audit.worst(["clean", "not run"]) == "not run"
    assert audit.worst(["clean"]) == "clean"
