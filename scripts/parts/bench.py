"""Finds a bench by its name and runs it.

It does not measure anything: each bench is a module of scripts/benches with a `main(argv)`.
"""

import ast
import importlib
import sys
from pathlib import Path

BENCHES = Path(__file__).resolve().parents[1] / "benches"


def main(argv: list[str]) -> int:
    # A name with a leading underscore is shared by benches and is none itself.
    names = sorted(path.stem for path in BENCHES.glob("[a-z]*.py"))
    if not argv or argv[0] in ("-h", "--help"):
        print(_listing(names))
        return 0
    name = argv[0]
    if name not in names:
        print(f"bench: no bench named {name!r}.\n{_listing(names)}", file=sys.stderr)
        return 2
    # By its full name, so that a worker process it starts can import the same functions.
    module = importlib.import_module(f"scripts.benches.{name}")
    return int(module.main(argv[1:]) or 0)


def _listing(names: list[str]) -> str:
    lines = ["usage: scripts/bench NAME [--json] [options of the bench]", ""]
    return "\n".join(lines + [f"  {name:<12} {_first_line(name)}" for name in names])


def _first_line(name: str) -> str:
    # Read, not imported: listing must not load what the benches load.
    tree = ast.parse((BENCHES / f"{name}.py").read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
