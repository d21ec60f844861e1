"""The keys that every bench reports, and how it prints them.

It does not measure anything.
"""

import json
import platform
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def say(line: str) -> None:
    """Progress, on standard error."""
    print(line, file=sys.stderr, flush=True)


def common(
    *, anvil: str | None, database: str, seconds: float, total_seconds: float, rss_mb: float
) -> dict[str, Any]:
    """The common keys, in one order everywhere."""
    return {
        "commit": commit(),
        "machine": machine(),
        "python": platform.python_version(),
        "anvil": anvil,
        "database": database,
        "seconds": round(seconds, 3),
        "total_seconds": round(total_seconds, 3),
        "rss_mb": round(rss_mb, 1),
    }


def publish(figures: dict[str, Any], as_json: bool) -> None:
    """One JSON object last on standard output, or a line per figure for a person."""
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:<22} {value}")


def commit() -> str:
    """The commit that is measured, marked when the tree differs from it."""
    ran = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout.strip() or "unknown"


def machine() -> dict[str, Any]:
    """Cores, memory and CPU."""
    cpu = next((value for key, value in _lines("/proc/cpuinfo") if key == "model name"), "unknown")
    memory = next((value for key, value in _lines("/proc/meminfo") if key == "MemTotal"), "0 kB")
    return {"cores": _cores(), "memory_mb": int(memory.split()[0]) // 1024, "cpu": cpu}


def peak_rss_mb() -> float:
    """The most memory that this very process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0))


def _lines(path: str) -> list[tuple[str, str]]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [
        (key.strip(), value.strip()) for key, _, value in (line.partition(":") for line in lines)
    ]
