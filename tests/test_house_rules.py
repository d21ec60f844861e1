"""The rules of the house hold in every file; and each rule notices when one does not.

The rules themselves are in `house_rules.py`.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house_rules import (
    VERIFY,
    WEB_FRAMEWORKS,
    checker_imports,
    clock_reads,
    empty_names,
    floats,
    foreign_imports,
    machine_paths,
    named_hosts,
    names_in,
    outward_imports,
    refusals,
    room_of,
    too_long,
)

ROOT = Path(__file__).resolve().parents[1]
STATUSES = ROOT / "gateway" / "statuses.py"
# One step of the schema is one file, as long as the schema; a checker to be copied out is one too.
LONG_BY_NATURE = (
    "settlement/store/migrations/versions/",
    "settlement/verify/proof_standalone.py",
)


def _files(*folders: str, ending: str = "py") -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob(f"*.{ending}"))]
    return [path for path in found if "node_modules" not in path.parts]


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _place(path: Path) -> str:
    return str(path.relative_to(ROOT))


RAIL = {_module(path): path.read_text(encoding="utf-8") for path in _files("settlement")}
GATEWAY = {_module(path): path.read_text(encoding="utf-8") for path in _files("gateway")}
CHECKER = {name: text for name, text in RAIL.items() if f"{name}.".startswith(f"{VERIFY}.")}
PRODUCT = {name: text for name, text in {**RAIL, **GATEWAY}.items() if name not in CHECKER}
MODULES = frozenset(RAIL) | frozenset(GATEWAY)


def _committed() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode != 0:
        pytest.skip("no git checkout to list the committed files of")
    return [ROOT / name for name in listing.stdout.split("\0") if name]


def _committed_texts() -> dict[str, str]:
    texts = {}
    for path in _committed():
        content = path.read_bytes() if path.is_file() else b""
        if b"\0" not in content:
            texts[_place(path)] = content.decode("utf-8", errors="replace")
    return texts


def _holds(broken: list[str]) -> None:
    assert not broken, "\n" + "\n".join(broken)


def test_imports_point_inward() -> None:
    broken = [
        line
        for name, text in PRODUCT.items()
        if name != "settlement"
        for line in outward_imports(text, name, MODULES)
    ]

    _holds(broken)


def test_the_checker_imports_nothing_of_ours() -> None:
    _holds([line for name, text in CHECKER.items() for line in checker_imports(text, name)])


def test_only_one_file_of_the_rail_imports_web3() -> None:
    allowed = "settlement.chain.evm"

    importing = {
        name for name, text in RAIL.items() if foreign_imports(text, name, ("web3",)) != []
    }

    assert importing <= {allowed}


def test_the_rail_imports_no_web_framework() -> None:
    broken = [
        line for name, text in RAIL.items() for line in foreign_imports(text, name, WEB_FRAMEWORKS)
    ]

    _holds(broken)


def test_the_rail_has_no_float() -> None:
    _holds([line for name, text in RAIL.items() for line in floats(text, name)])


def test_nothing_below_the_gateway_reads_the_clock() -> None:
    _holds([line for name, text in RAIL.items() for line in clock_reads(text, name)])


def test_no_file_is_too_long() -> None:
    files = _files("settlement", "gateway", "tests", "scripts")
    files += _files("contracts/src", "contracts/test", ending="sol")

    broken = [
        line
        for path in files
        if not _place(path).startswith(LONG_BY_NATURE)
        for line in too_long(path.read_text(encoding="utf-8"), _place(path))
    ]

    _holds(broken)


def test_every_name_says_something() -> None:
    broken = [
        line
        for path in _files("settlement", "gateway", "tests", "scripts")
        for line in empty_names(path.read_text(encoding="utf-8"), _place(path), path.stem)
    ]

    _holds(broken)


def test_no_committed_file_names_a_registry_or_a_machine() -> None:
    broken = [
        line
        for place, text in _committed_texts().items()
        for rule in (named_hosts, machine_paths)
        for line in rule(text, place)
    ]

    _holds(broken)


def test_every_refusal_has_a_row_in_the_table_of_problems() -> None:
    rows = names_in(STATUSES.read_text(encoding="utf-8"))

    _holds(
        [
            f"{place}: {name} has no row"
            for name, place in refusals(PRODUCT).items()
            if name not in rows
        ]
    )


# Each rule is shown a file that breaks it, and one that does not.

ALL = frozenset(
    {"settlement", "settlement.money", "settlement.store", "settlement.ledger", "gateway.api"}
    | {"settlement.compliance", "settlement.participants", "settlement.sender"}
    | {"settlement.settlements", "settlement.verify", "settlement.verify.logs"}
)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("settlement.money", "from settlement.store import open_engine"),
        ("settlement.money", "from settlement import store"),
        ("settlement.money", "import settlement.store"),
        ("settlement.money", "from . import store"),
        ("settlement.money", "def late():\n    from settlement.ledger import post"),
        ("settlement.money", "import importlib\nimportlib.import_module('settlement.store')"),
        ("settlement.ledger", "from settlement.participants import find"),
        ("settlement.participants", "from settlement.compliance import clear"),
        ("settlement.settlements", "import settlement.sender"),
        ("settlement.ledger", "from gateway.api import app"),
        ("gateway.api", "from settlement.verify.logs import decode"),
        ("gateway.api", "from settlement import verify"),
        ("settlement.whim", "import json"),
    ],
)
def test_an_import_that_points_outward_is_noticed(module: str, source: str) -> None:
    assert len(outward_imports(source, module, ALL)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("settlement.ledger", "from settlement.money import Money\nfrom settlement import store"),
        ("settlement.compliance", "from settlement.participants import find"),
        ("settlement.sender", "from settlement.settlements import claim"),
        ("gateway.api", "from settlement.ledger import post"),
        ("settlement.store", "from . import __version__"),
    ],
)
def test_an_import_that_points_inward_is_let_through(module: str, source: str) -> None:
    assert outward_imports(source, module, ALL) == []


def test_the_rings_are_those_of_the_design() -> None:
    names = ["errors", "money", "chain.port", "chain.evm", "ledger", "watcher", "proof"]

    rings = [room.ring for name in names if (room := room_of(f"settlement.{name}"))]

    assert rings == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        (
            lambda text: checker_imports(text, "settlement.verify.logs"),
            "def late():\n    from settlement.money import Money",
            "import json\nfrom settlement.verify import words",
        ),
        (
            lambda text: foreign_imports(text, "settlement.money", ("web3",)),
            "def late():\n    from web3.types import Wei",
            "import json",
        ),
        (lambda text: floats(text, "x"), "fee = float(text)", "fee = int(text)"),
        (
            lambda text: floats(text, "x"),
            "def pay(amount: float | None): ...",
            "def wait(timeout_seconds: float, deadline: float): ...",
        ),
        (
            lambda text: floats(text, "x"),
            "class Fee:\n    rate: list[float]",
            "class Hit:\n    score: float",
        ),
        (lambda text: floats(text, "x"), "def rate() -> float: ...", "def rate() -> int: ..."),
        (lambda text: clock_reads(text, "x"), "now = datetime.now(UTC)", "now = clock.now()"),
        (
            lambda text: clock_reads(text, "x"),
            "now = datetime.datetime.utcnow()",
            "started = time.monotonic()",
        ),
        (lambda text: clock_reads(text, "x"), "read = time.time", "time.sleep(1)"),
        (lambda text: clock_reads(text, "x"), "from time import time", "from time import sleep"),
        (lambda text: too_long(text, "x"), "\n" * 301, "\n" * 300),
        (
            lambda text: empty_names(text, "x", "ledger"),
            "class InvoiceManager: ...",
            "class Invoice: ...",
        ),
        (lambda text: empty_names("", "x", text), "money_utils", "money"),
        (
            lambda text: named_hosts(text, "x"),
            "https://pypi" + ".org/simple",
            "https://example.org",
        ),
        (lambda text: machine_paths(text, "x"), "see /ro" + "ot/notes", "GET /v1/work/root"),
        (lambda text: machine_paths(text, "x"), "see /wo" + "rk/main", "docs/work/x"),
    ],
)
def test_each_rule_notices_what_breaks_it(
    rule: Callable[[str], list[str]], bad: str, good: str
) -> None:
    assert len(rule(bad)) == 1
    assert rule(good) == []


def test_a_refusal_without_a_row_is_noticed_however_deep_it_lies() -> None:
    sources = {
        "a": "class NotFound(Refused): ...\nclass Fatal(RailError): ...",
        "b": "class InvoiceNotFound(errors.NotFound): ...",
    }

    found = refusals(sources)

    assert found == {"NotFound": "a", "InvoiceNotFound": "b"}
    assert "InvoiceNotFound" not in names_in(
        "from b import InvoiceNotFound\nROWS = {NotFound: 404}"
    )
    assert "InvoiceNotFound" in names_in("ROWS = {b.InvoiceNotFound: 404}")
