"""What sequences against the dictionary have shown, in a file that adds up over runs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.benches._report import commit, machine


class Record:
    """The figures so far; written anew after each portion where there is a file."""

    def __init__(self, path: Path | None, first_seed: int) -> None:
        self._path = path
        self.facts: dict[str, Any] = {
            "commits": [], "machines": [], "seeds": [first_seed, first_seed - 1], "operations": 0,
            "seconds": 0.0, "disagreements": {},
        }  # fmt: skip
        if path is not None and path.exists():
            self.facts |= json.loads(path.read_text(encoding="utf-8"))

    @property
    def next_seed(self) -> int:
        """The first seed that was not tried yet."""
        return int(self.facts["seeds"][1]) + 1

    def add(
        self,
        seeds: Sequence[int],
        operations: int,
        disagreements: Mapping[int, str],
        seconds: float,
    ) -> None:
        """Add what a portion has shown, and write the file."""
        facts = self.facts
        facts["seeds"][1] = seeds[-1]
        facts["operations"] += operations
        facts["seconds"] = round(facts["seconds"] + seconds, 3)
        facts["disagreements"] |= {str(seed): said for seed, said in disagreements.items()}
        for name, value in (("commits", commit()), ("machines", machine())):
            if value not in facts[name]:
                facts[name].append(value)
        if self._path is not None:
            partial = self._path.with_name(self._path.name + ".partial")
            partial.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
            os.replace(partial, self._path)

    def figures(self) -> dict[str, Any]:
        """Return the keys of the bench's own."""
        first, last = self.facts["seeds"]
        return {
            "seconds": self.facts["seconds"],
            "sequences": last - first + 1,
            "seeds": self.facts["seeds"],
            "operations": self.facts["operations"],
            "disagreements": self.facts["disagreements"],
        }
