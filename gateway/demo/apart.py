"""Making the demo's documents in a process of its own, which ends when they are made.

The PDF libraries take 40 MB that the rest of the day has no use for. Makes none itself.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from datetime import date

from gateway.demo.documents import DemoDocument, documents


def documents_apart(count: int, seed: int, *, day: date, scale_max: int) -> list[DemoDocument]:
    """Return what `documents` returns for the same arguments."""
    asked = (count, seed, day, scale_max)
    done = subprocess.run(
        [sys.executable, "-m", "gateway.demo.apart"],
        input=pickle.dumps(asked), stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    made: list[DemoDocument] = pickle.loads(done.stdout)
    return made


def main() -> None:
    """Read the arguments, write the documents."""
    count, seed, day, scale_max = pickle.loads(sys.stdin.buffer.read())
    made = documents(count, seed, day=day, scale_max=scale_max)
    sys.stdout.buffer.write(pickle.dumps(made))


if __name__ == "__main__":
    main()
