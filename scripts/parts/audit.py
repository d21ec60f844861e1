"""Checks every locked dependency against known vulnerabilities, where a source can be reached.

Python by pip-audit, run apart from our own packages, with OSV as its source; the contracts' by npm.
Whatever cannot be asked is said to be not run: nothing is called clean that nobody has looked at.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
AUDITOR = "pip-audit==2.9.0"
TIMEOUT_SECONDS = 300
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-setup.lock")
EXIT = {"clean": 0, "found": 1, "not run": 2}


def main(argv: list[str]) -> int:
    """Check all parts, print what came of it; 1 if something was found, 2 if a part was not run."""
    parts = [*(_python(lock) for lock in LOCKS), _contracts()]
    status = worst([part["status"] for part in parts])
    if "--json" in argv:
        print(json.dumps({"status": status, "parts": parts}))
    else:
        for part in parts:
            print(f"{part['part']:<24} {part['status']:<8} {part['reason']}")
            for each in part["found"]:
                print(f"    {each}")
    return EXIT[status]


def worst(statuses: list[str]) -> str:
    """Return what a person has to know first: something was found, then something was not run."""
    for status in ("found", "not run"):
        if status in statuses:
            return status
    return "clean"


def judged_python(part: str, ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return what pip-audit has said of a lock."""
    try:
        packages = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return _not_run(part, ran)
    skipped = [each["name"] for each in packages if "skip_reason" in each]
    found = [
        f"{each['name']} {each['version']}: {fault['id']}"
        for each in packages
        for fault in each.get("vulns", [])
    ]
    status = "found" if found else "not run" if skipped or not packages else "clean"
    reason = f"{len(packages)} packages, {len(found)} known vulnerabilities"
    if skipped:
        reason += f"; not looked at: {', '.join(skipped)}"
    return {"part": part, "status": status, "reason": reason, "found": found}


def judged_contracts(part: str, ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return what npm has said of the contracts' packages."""
    try:
        said = json.loads(ran.stdout)
        faults: Mapping[str, Any] = said["vulnerabilities"]
        count = said["metadata"]["dependencies"]["total"]
    except (ValueError, KeyError, TypeError):
        return _not_run(part, ran)
    found = [f"{name}: {each.get('severity')}" for name, each in sorted(faults.items())]
    reason = f"{count} packages, {len(found)} known vulnerabilities"
    return {
        "part": part, "status": "found" if found else "clean", "reason": reason, "found": found,
    }  # fmt: skip


def _python(lock: str) -> dict[str, Any]:
    uv = ROOT / ".setup" / "venv" / "bin" / "uv"
    command = [
        str(uv), "tool", "run", "--from", AUDITOR, "pip-audit", "--vulnerability-service", "osv",
        "--requirement", str(ROOT / lock), "--no-deps", "--disable-pip", "--format", "json",
        "--progress-spinner", "off",
    ]  # fmt: skip
    return judged_python(lock, _run(command, ROOT))


def _contracts() -> dict[str, Any]:
    ran = _run(["npm", "audit", "--json", "--package-lock-only"], ROOT / "contracts")
    return judged_contracts("contracts", ran)


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False,
            timeout=TIMEOUT_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def _not_run(part: str, ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    lines = [line.strip() for line in (ran.stderr or "").splitlines() if line.strip()]
    lines = [line for line in lines if "log of this run" not in line]
    # Addresses of whoever was asked are a machine's affair.
    last = re.sub(r"https?://\S+", "its source", lines[-1])[:160] if lines else "no answer"
    return {
        "part": part, "status": "not run", "reason": f"no advisory source: {last}", "found": [],
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
