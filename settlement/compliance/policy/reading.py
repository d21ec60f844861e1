"""Packs from their files: each key and value checked, each fault with its line.

Judges nothing. A policy is a set of files: packs in YAML, rates and lists of goods in CSV.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from settlement.compliance.policy import marked
from settlement.compliance.policy.marked import Marked
from settlement.compliance.policy.model import (
    Condition,
    Confidence,
    Outcome,
    Pack,
    PackInvalid,
    Policy,
    Rule,
    Span,
    Status,
)
from settlement.compliance.policy.predicates import (
    PREDICATES,
    PURSE,
    OptionKind,
    PairKind,
    read_option,
)
from settlement.compliance.policy.tables import read_tables
from settlement.compliance.policy.windows import Tables

PACKS = Path(__file__).parents[1] / "packs"
"""The packs as shipped."""
FLAG = "FLAG"
"""An outcome in a file: the supervisor is told, and nothing else happens."""

ALWAYS_ON = ("baseline", "un")
"""Packs that every policy has, for everybody and without a last day."""

_SHOWN_MAX = 8
_LETTERS_MAX = 40
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}\Z", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
_PACK_NEEDS = {"id", "version", "title", "status", "source", "as_of", "confidence", "rules"}
_PACK_MAY = {"applies_to", "valid_from", "valid_until", "notes"}
_RULE_NEEDS = {"id", "title", "predicate", "outcome"}
_RULE_MAY = {"with", "status", "confidence", "source", "valid_from", "valid_until", "notes"}
_CONDITION = {
    "party_countries": OptionKind.COUNTRIES,
    "both_countries": OptionKind.COUNTRIES,
    "currencies": OptionKind.CURRENCIES,
    "assets": OptionKind.TEXTS,
    "registers": OptionKind.NAMES,
    "wallets": OptionKind.WALLETS,
}


def load(folder: Path = PACKS) -> Policy:
    """Read the files of a folder as a policy. Raises as `read`."""
    return read(files_of(folder))


def files_of(folder: Path = PACKS) -> dict[str, bytes]:
    """Return the files of a folder that make a policy, by name."""
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.suffix in (".yaml", ".csv")
    }


def read(files: Mapping[str, bytes], *, label: str = "files") -> Policy:
    """Return the policy that files make; `label` and their hash are its version.

    Raises:
        PackInvalid: unknown keys, predicates, options or outcomes, or a rule id used twice.
    """
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\n{len(content)}\n".encode() + content)
    packs, tables = _packs(tuple(sorted(files.items())))
    return Policy(version=f"{label}#{digest.hexdigest()[:12]}", packs=packs, tables=tables)


def require_always_on(read: Policy) -> None:
    """Return quietly if the packs that nobody may take out are in a policy, and in force for all.

    Raises:
        PackInvalid: one is missing, or bound to a time, a place or a status, or only flags.
    """
    packs = {pack.id: pack for pack in read.packs}
    for pack_id in ALWAYS_ON:
        pack = packs.get(pack_id)
        if (
            pack is None
            or pack.status is not Status.IN_FORCE
            or pack.span != Span()
            or pack.applies_to
            or all(rule.is_flag for rule in pack.rules)
        ):
            raise PackInvalid(
                f"{pack_id}.yaml",
                f"the pack {pack_id} is always on: in force, for everybody, without a last day,"
                " with rules that do more than flag",
            )


@lru_cache(maxsize=4)  # Nobody changes a pack once it is read, and reading one is slow.
def _packs(files: tuple[tuple[str, bytes], ...]) -> tuple[tuple[Pack, ...], Tables]:
    tables = read_tables({name: content for name, content in files if name.endswith(".csv")})
    seen: dict[str, str] = {}
    packs = tuple(
        _pack(name, content, tables, seen) for name, content in files if name.endswith(".yaml")
    )
    if not any(pack.rules for pack in packs):
        raise PackInvalid("policy", "it holds no rule: nothing could be cleared")
    return packs, tables


def _one_id(raw: Marked, kind: str, seen: dict[str, str]) -> str:
    """Return the id of a pack or a rule, and keep its place in `seen`.

    Raises:
        PackInvalid: another one of these files has it.
    """
    key, place = _id(raw), f"{raw.file}:{raw.lines['id']}"
    first = seen.setdefault(f"{kind} {key}", place)
    if first != place:
        raise raw.fault(f"the {kind} id {key} is used twice, first in {first}", "id")
    return key


def _pack(name: str, content: bytes, tables: Tables, seen: dict[str, str]) -> Pack:
    raw = marked.read(name, content)
    raw.require(_PACK_NEEDS, _PACK_MAY)
    status, confidence = _status(raw), _confidence(raw)
    source = raw.text("source")
    return Pack(
        id=_one_id(raw, "pack", seen),
        version=raw.text("version"),
        title=raw.text("title"),
        status=status,
        source=source,
        as_of=_date(raw, "as_of"),
        confidence=confidence,
        span=_span(raw),
        applies_to=tuple(_condition(each) for each in raw.mappings("applies_to")),
        rules=tuple(_rule(each, raw, tables, seen) for each in raw.mappings("rules")),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _rule(raw: Marked, pack: Marked, tables: Tables, seen: dict[str, str]) -> Rule:
    raw.require(_RULE_NEEDS, _RULE_MAY)
    name, outcome = raw.text("predicate"), raw.text("outcome")
    kind = PREDICATES.get(name)
    if kind is None:
        raise raw.fault(f"there is no predicate {name!r}", "predicate")
    if outcome not in (FLAG, *Outcome.__members__):
        known = ", ".join((*Outcome.__members__, FLAG))
        raise raw.fault(f"there is no outcome {outcome!r}; there are {known}", "outcome")
    status = _status(raw if "status" in raw.values else pack)
    given = raw.values.get("with", Marked(raw.file, raw.line, {}, {}))
    if not isinstance(given, Marked):
        raise raw.fault("with is no mapping", "with")
    given.require(set(kind.needs), set(kind.may))
    kinds = {**kind.needs, **kind.may}
    options = {key: _option(given, key, kinds[key]) for key in given.values}
    for key in options:
        if kinds[key] is OptionKind.GOODS and not tables.goods.get(options[key]):
            raise given.fault(f"no goods_{options[key]}.csv among the files lists any", key)
    check = kind.make(options, tables)
    is_pair = isinstance(kind, PairKind)
    return Rule(
        id=_one_id(raw, "rule", seen),
        title=raw.text("title"),
        predicate=name,
        outcome=Outcome.ALLOW if outcome == FLAG else Outcome[outcome],
        is_flag=outcome == FLAG or status is Status.PROPOSED,
        options=given.values,
        pair_check=check if is_pair else None,  # type: ignore[arg-type]
        payment_check=None if is_pair else check,  # type: ignore[arg-type]
        windows=() if isinstance(kind, PairKind) else kind.windows(options),
        is_of_the_moment=name in PURSE,
        status=status,
        confidence=_confidence(raw if "confidence" in raw.values else pack),
        source=raw.text("source", pack.text("source")),
        span=_span(raw),
    )


def _condition(raw: Marked) -> Condition:
    raw.require(set(), set(_CONDITION))
    if not raw.values:
        raise raw.fault("a condition names nothing")
    return Condition(**{key: _option(raw, key, _CONDITION[key]) for key in raw.values})


def _option(raw: Marked, key: str, kind: OptionKind) -> Any:
    try:
        return read_option(kind, raw.values[key])
    except ValueError:
        raise raw.fault(f"{key} {_shown(raw.values[key])} is not {kind.value}", key) from None


def _shown(value: Any) -> str:
    """Return the beginning of a value: all of it may be many times as long as its file."""
    if isinstance(value, list):
        more = ", …" if len(value) > _SHOWN_MAX else ""
        return f"[{', '.join(_shown(each) for each in value[:_SHOWN_MAX])}{more}]"
    return repr(value[:_LETTERS_MAX]) if isinstance(value, str) else "a mapping"


def _status(raw: Marked) -> Status:
    value = raw.text("status")
    if value not in tuple(Status):
        raise raw.fault(f"status {value!r} is neither in_force nor proposed", "status")
    return Status(value)


def _confidence(raw: Marked) -> Confidence:
    value = raw.text("confidence")
    if value not in tuple(Confidence):
        raise raw.fault(f"confidence {value!r} is none of high, medium and low", "confidence")
    return Confidence(value)


def _span(raw: Marked) -> Span:
    first, last = (
        _date(raw, key) if key in raw.values else None for key in ("valid_from", "valid_until")
    )
    if first and last and last < first:
        raise raw.fault("valid_until is before valid_from", "valid_until")
    return Span(first, last)


def _id(raw: Marked) -> str:
    value = raw.text("id")
    if not _ID.match(value):
        raise raw.fault("an id has at most 60 letters, digits, dots, dashes and underscores", "id")
    return value


def _date(raw: Marked, key: str) -> date:
    try:
        if not _DAY.match(raw.text(key)):
            raise ValueError
        return date.fromisoformat(raw.text(key))
    except ValueError:
        raise raw.fault(f"{key} is no date such as 2026-11-01", key) from None
