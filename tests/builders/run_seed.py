"""A seed that is new in every run of the suite, and the same in all of its processes.

Tests that are made from it would else be collected differently by each process.
"""

from __future__ import annotations

import os
import random
import secrets

_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex(16)


def run_seed(name: str) -> int:
    """Return the seed that `name` gives in the environment, else one of this run."""
    given = os.environ.get(name)
    return int(given) if given else random.Random(f"{_RUN}:{name}").randrange(1, 10**6)
