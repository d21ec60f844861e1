"""The rules of the house: each a function from a source text to what breaks the rule in it.

It does not choose the files: `test_house_rules.py` does.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

LINES_IN_A_FILE = 300


@dataclass(frozen=True, slots=True)
class Room:
    """Modules that may import each other freely, in a ring; `beside` it, what else they may."""

    name: str
    ring: int
    modules: tuple[str, ...]
    beside: tuple[str, ...] = ()


CHAIN_BASICS = (
    "chain.bloom", "chain.keccak", "chain.rlp", "chain.rpc", "chain.signing", "chain.send_answers",
    "chain.trie",
)  # fmt: skip
ROOMS = (
    Room("errors", 0, ("errors",)),
    Room("money", 1, ("money",)),
    Room("states", 1, ("states",)),
    Room("clock", 1, ("clock",)),
    Room("files", 1, ("files",)),
    Room("config", 2, ("config",)),
    Room("tables", 2, ("tables", "tables.*")),
    # What a chain must offer, and the plain arithmetic and wire that each of its users needs.
    Room("chain/port", 2, ("chain", "chain.port", "chain.*_abi", "chain.dev_keys", *CHAIN_BASICS)),
    Room("store", 3, ("store", "store.*")),
    Room(
        "chain/evm",
        3,
        ("chain.evm", "chain.receipts", "chain.proving", "chain.cross_checked", "chain.encoding"),
    ),
    Room("chain/memory", 3, ("chain.memory", "chain.memory.*")),
    Room("chain/anvil", 3, ("chain.anvil", "chain.anvil_*"), beside=("chain/evm",)),
    Room("chain/keystore", 3, ("chain.keystore",)),
    Room(
        "chain/deploy",
        3,
        (
            "chain.deploy",
            "chain.deployment",
            "chain.deployment_plan",
            "chain.admin_lane",
            "chain.handover",
        ),
        beside=("chain/evm",),
    ),
    Room("documents", 3, ("documents", "documents.*")),
    Room("audit", 3, ("audit", "audit.*"), beside=("store",)),
    Room("access", 3, ("access", "access.*"), beside=("store", "audit")),
    Room("approvals", 3, ("approvals", "approvals.*"), beside=("store", "audit", "access")),
    Room("ledger", 4, ("ledger", "ledger.*")),
    # Who decides on a wallet says so to the registry; it ends the clearances that stand against it.
    Room("registry", 4, ("registry", "registry.*"), beside=("compliance",)),
    Room("participants", 4, ("participants", "participants.*"), beside=("registry",)),
    Room("compliance", 4, ("compliance", "compliance.*"), beside=("participants", "registry")),
    Room("outbox", 4, ("outbox", "outbox.*")),
    Room("invoices", 5, ("invoices", "invoices.*")),
    Room("watcher", 5, ("watcher", "watcher.*")),
    Room("signer", 5, ("signer", "signer.*")),
    Room("bank", 5, ("bank", "bank.*")),
    Room("fx", 5, ("fx", "fx.*")),
    Room("netting", 5, ("netting", "netting.*")),
    Room("settlements", 6, ("settlements", "settlements.*")),
    Room("sender", 6, ("sender", "sender.*"), beside=("settlements",)),
    Room("reconciliation", 6, ("reconciliation", "reconciliation.*")),
    Room("statements", 6, ("statements", "statements.*")),
    Room("supervision", 6, ("supervision", "supervision.*"), ("statements", "reconciliation")),
    Room("proof", 6, ("proof", "proof.*")),
    Room("trace", 6, ("trace", "trace.*")),
)
GATEWAY = Room("gateway", 7, ())
VERIFY = "settlement.verify"
WEB_FRAMEWORKS = ("fastapi", "starlette", "uvicorn")
EMPTY_NAMES = ("utils", "util", "helpers", "helper", "common", "manager", "handler", "processor")
EMPTY_NAMES += ("base", "misc")
EMPTY_SUFFIXES = re.compile(r"(Utils?|Helpers?|Manager|Handler|Processor)$|^(Base|Misc|Common)$")
# A span of time and a score are no money; everything else that is a float could become some.
FLOAT_NAMES = re.compile(r"seconds|deadline|score|ratio")
CLOCK_READS = (
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
    ("time", "time"), ("time", "time_ns"),
)  # fmt: skip
REGISTRY_HOSTS = (
    "pypi" + ".org", "pythonhosted" + ".org", "registry." + "npmjs", "registry." + "yarnpkg",
    "deb." + "debian", "crates" + ".io", "proxy." + "golang",
)  # fmt: skip
MACHINE_PATHS = re.compile(r"(?<![\w.*-])/(?:work/|root/|home/\w|Users/\w)")


def room_of(module: str) -> Room | None:
    """The room of `settlement.x` or `gateway.x`; None for one that nobody gave a room."""
    if module == "gateway" or module.startswith("gateway."):
        return GATEWAY
    inner = module.removeprefix("settlement.")
    for room in ROOMS:
        if any(fnmatchcase(inner, pattern) for pattern in room.modules):
            return room
    return None


def imports(source: str, module: str, *, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Each import in the file, also inside functions, as (line, full module name).

    `from settlement import money` yields both `settlement` and `settlement.money`: text alone
    does not tell a module from a name.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            package = _absolute(node, module, is_package)
            yield node.lineno, package
            for alias in node.names:
                yield node.lineno, f"{package}.{alias.name}"
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value


def outward_imports(source: str, module: str, modules: frozenset[str]) -> list[str]:
    """Imports that do not point inward. `modules`: all of ours, to tell modules from names."""
    own = room_of(module)
    if own is None:
        return [f"{module} has no room: give it one in DESIGN's table of rings"]
    found = []
    for line, target in _ours(source, module, modules):
        if target == VERIFY or target.startswith(f"{VERIFY}."):
            found.append(f"{module}:{line} imports {target}: the checker is started, not imported")
            continue
        room = room_of(target)
        if room is None or room.name == own.name or room.ring < own.ring:
            continue
        if room.name not in own.beside:
            found.append(f"{module}:{line} (ring {own.ring}) imports {target} (ring {room.ring})")
    return found


def checker_imports(source: str, module: str) -> list[str]:
    """What the checker imports of ours. It is worth nothing once it shares our code."""
    lines = {
        line
        for line, target in imports(source, module, is_package=module == VERIFY)
        if target.split(".")[0] in ("settlement", "gateway")
        and target != "settlement"
        and not f"{target}.".startswith(f"{VERIFY}.")
    }
    return [f"{module}:{line} imports what is ours" for line in sorted(lines)]


def foreign_imports(source: str, module: str, banned: tuple[str, ...]) -> list[str]:
    """Imports of a banned library or anything in it."""
    return sorted(
        {
            f"{module}:{line} imports {target.split('.')[0]}"
            for line, target in imports(source, module)
            if target.split(".")[0] in banned
        }
    )


def floats(source: str, place: str) -> list[str]:
    """Where a float is made or declared whose name does not say seconds or score."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "float":
                found.append(f"{place}:{node.lineno} calls float()")
            continue
        for name, annotation in _annotations(node):
            if _names_float(annotation) and not FLOAT_NAMES.search(name):
                found.append(f"{place}:{node.lineno} declares {name} as a float")
    return found


def clock_reads(source: str, place: str) -> list[str]:
    """Where the time of day is read. (`time.monotonic` measures a span and is free to all.)"""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and (_last_name(node.value), node.attr) in CLOCK_READS:
            found.append(f"{place}:{node.lineno} reads the clock: {ast.unparse(node)}")
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            names = {alias.name for alias in node.names} & {"time", "time_ns"}
            found += [f"{place}:{node.lineno} reads the clock: time.{name}" for name in names]
    return found


def empty_names(source: str, place: str, stem: str) -> list[str]:
    """Modules and classes whose name says nothing."""
    words = stem.strip("_").split("_")
    found = [f"{place} is named {stem}"] if words[-1] in EMPTY_NAMES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and EMPTY_SUFFIXES.search(node.name):
            found.append(f"{place}:{node.lineno} names a class {node.name}")
    return found


def too_long(text: str, place: str) -> list[str]:
    lines = len(text.splitlines())
    if lines <= LINES_IN_A_FILE:
        return []
    return [f"{place} has {lines} lines, {LINES_IN_A_FILE} are allowed"]


def named_hosts(text: str, place: str) -> list[str]:
    """Registry hosts that the text names: those belong in a person's own settings."""
    return [f"{place} names {host}" for host in REGISTRY_HOSTS if host in text.lower()]


def machine_paths(text: str, place: str) -> list[str]:
    """Paths that exist on one person's machine."""
    return [
        f"{place}:{number} names a path of a machine: {line.strip()[:80]}"
        for number, line in enumerate(text.splitlines(), start=1)
        if MACHINE_PATHS.search(line)
    ]


def refusals(sources: Mapping[str, str]) -> dict[str, str]:
    """Every class below `Refused` by the text alone: its name and the file that has it."""
    parents: dict[str, tuple[set[str], str]] = {}
    for place, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef):
                parents[node.name] = ({_last_name(base) for base in node.bases}, place)
    found: dict[str, str] = {}
    known, size = {"Refused"}, 0
    while len(known) != size:
        size = len(known)
        for name, (bases, place) in parents.items():
            if bases & known:
                known.add(name)
                found[name] = place
    return found


def names_in(source: str) -> frozenset[str]:
    """Every name that the code reads, bare or after a dot. An import alone is no use of it."""
    return frozenset(
        _last_name(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Name | ast.Attribute)
    )


def _ours(source: str, module: str, modules: frozenset[str]) -> Iterator[tuple[int, str]]:
    for line, target in imports(source, module, is_package=_is_package(module, modules)):
        # The bare package says nothing and is imported by everybody.
        if target in modules and target not in ("settlement", "gateway"):
            yield line, target


def _is_package(module: str, modules: frozenset[str]) -> bool:
    return any(other.startswith(f"{module}.") for other in modules)


def _absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    kept = parts[: len(parts) - node.level + is_package]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _annotations(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.arg) and node.annotation:
        yield node.arg, node.annotation
    elif isinstance(node, ast.AnnAssign):
        yield _last_name(node.target), node.annotation
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
        yield node.name, node.returns


def _names_float(annotation: ast.expr) -> bool:
    text = ast.unparse(annotation)
    return re.search(r"\bfloat\b", text) is not None


def _called(node: ast.Call) -> str:
    return _last_name(node.func)


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
