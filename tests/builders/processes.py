"""Processes of a test's own, forked from one that has imported what they need.

Spawned ones would import all of it each. Nothing of the test's own process is in them either.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext

_IMPORTED = (
    "pytest", "settlement.audit", "tests.builders.chain_facts", "tests.builders.limits",
    "tests.builders.rail",
)  # fmt: skip


def forking() -> ForkServerContext:
    """Return what makes processes; the one that they are forked from ends with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_IMPORTED))
    return context
