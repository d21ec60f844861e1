"""Labelled pairs of names: made from a list by a seed, or read from a file of somebody else's.

Positives are one name in two spellings; negatives are near each other and two: siblings, companies
that begin alike. It does not measure anything.
"""

from __future__ import annotations

import csv
import hashlib
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from settlement.compliance.list_files.record import Party
from settlement.compliance.screening.names import NameKind, prepared

PER_KIND = 600
_CYRILLIC = {
    "shch": "щ", "sh": "ш", "ch": "ч", "zh": "ж", "kh": "х", "ts": "ц", "yu": "ю", "ya": "я",
    "a": "а", "b": "б", "v": "в", "g": "г", "d": "д", "e": "е", "z": "з", "i": "и", "y": "й",
    "k": "к", "l": "л", "m": "м", "n": "н", "o": "о", "p": "п", "r": "р", "s": "с", "t": "т",
    "u": "у", "f": "ф", "h": "х", "c": "к", "j": "дж", "q": "к", "w": "в", "x": "кс",
}  # fmt: skip
_SPELLINGS = (
    ("ou", "u"), ("u", "o"), ("ee", "i"), ("y", "i"), ("kh", "h"), ("q", "k"), ("w", "v"),
    ("ph", "f"), ("ei", "ey"), ("ss", "s"), ("mm", "m"), ("dh", "d"),
)  # fmt: skip
_FORMS = {
    "LTD": "Limited", "LTD.": "Limited", "LLC": "L.L.C.", "CO.": "Company", "GMBH": "G.m.b.H.",
    "S.A.": "SA", "OOO": "Limited Liability Company", "JSC": "Joint Stock Company",
}  # fmt: skip
_ONE = ("name1", "left", "query", "name_1", "a", "subject", "one")
_OTHER = ("name2", "right", "target", "name_2", "b", "listed", "other", "match")
_LABEL = ("is_match", "label", "expected", "same", "result", "judgement")
_SCHEMA = ("schema", "kind", "type")
_KINDS = {
    "person": NameKind.PERSON, "individual": NameKind.PERSON, "vessel": NameKind.VESSEL,
    "ship": NameKind.VESSEL, "company": NameKind.ORGANIZATION, "entity": NameKind.ORGANIZATION,
    "organization": NameKind.ORGANIZATION, "organisation": NameKind.ORGANIZATION,
    "publicbody": NameKind.ORGANIZATION,
}  # fmt: skip
_TRUE = ("true", "1", "yes", "y", "t", "positive", "match")


class Pair(NamedTuple):
    """Two names, and whether they are one."""

    one: str
    other: str
    kind: NameKind
    is_match: bool


def read_pairs(path: Path) -> list[Pair]:
    """Return the pairs of a file; its columns may be called by any of the usual names."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    if not rows:
        return []
    columns = {name.strip().lower(): name for name in rows[0]}
    one, other, label = (_column(columns, names) for names in (_ONE, _OTHER, _LABEL))
    schema = next((columns[name] for name in _SCHEMA if name in columns), None)
    return [
        Pair(
            row[one], row[other],
            _KINDS.get((row[schema] or "").strip().lower(), NameKind.UNKNOWN)
            if schema else NameKind.UNKNOWN,
            (row[label] or "").strip().lower() in _TRUE,
        )
        for row in rows
    ]  # fmt: skip


def made_pairs(parties: Sequence[Party], seed: int = 11) -> list[Pair]:
    """Return pairs made from the names of a list: those that no rule was tuned on."""
    chance = random.Random(seed)
    people = [each for each in parties if each.kind == "person" and " " in each.name]
    companies = [each for each in parties if each.kind == "organization"]
    made: list[Pair] = []
    for kind, listed in ((NameKind.PERSON, people), (NameKind.ORGANIZATION, companies)):
        chosen = chance.sample(listed, min(PER_KIND, len(listed)))
        for party in chosen:
            name = party.name
            changed = _varied(name, kind, chance)
            if changed and changed != name:
                made.append(Pair(name, changed, kind, True))
        made += _siblings(listed, kind, chance)
    return [pair for pair in made if _is_held_out(pair)]


def _is_held_out(pair: Pair) -> bool:
    return hashlib.sha256(f"{pair.one}|{pair.other}".encode()).digest()[0] % 2 == 1


def _varied(name: str, kind: NameKind, chance: random.Random) -> str:
    """Return a name as somebody else would write it."""
    ways = [_typed, _respelled, _turned, _cyrillic, _typed, _respelled]
    ways += [_initialled, _shortened] if kind == NameKind.PERSON else [_other_form, _joined]
    return chance.choice(ways)(name, chance)


def _typed(name: str, chance: random.Random) -> str:
    places = [at for at in range(2, len(name) - 1) if name[at].isalpha() and name[at - 1].isalpha()]
    longest = max((word for word in re.findall(r"[A-Za-z]+", name)), key=len, default="")
    if not places or len(longest) < 5:
        return ""
    at = name.index(longest) + chance.randrange(1, len(longest) - 1)
    way = chance.randrange(3)
    if way == 0:
        return name[:at] + name[at + 1 :]
    if way == 1:
        return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    return name[:at] + chance.choice("aeiourstln") + name[at:]


def _respelled(name: str, chance: random.Random) -> str:
    fitting = [pair for pair in _SPELLINGS if pair[0] in name.lower()]
    if not fitting:
        return _typed(name, chance)
    old, new = chance.choice(fitting)
    return re.sub(old, new, name, count=1, flags=re.IGNORECASE)


def _turned(name: str, chance: random.Random) -> str:
    if "," in name:
        last, _, first = name.partition(",")
        return f"{first.strip()} {last}"
    words = name.split()
    return " ".join([*words[1:], words[0]]) if len(words) == 2 else name.title()


def _cyrillic(name: str, _chance: random.Random) -> str:
    last, comma, first = name.partition(",")
    text = f"{first} {last}".strip().lower() if comma else name.lower()
    for letters, sign in _CYRILLIC.items():
        text = text.replace(letters, sign)
    return text.title()


def _initialled(name: str, _chance: random.Random) -> str:
    last, _, first = name.partition(",")
    words = first.split()
    return f"{words[0][0]}. {last.title()}" if len(words) == 1 and len(last) > 4 else ""


def _shortened(name: str, _chance: random.Random) -> str:
    last, _, first = name.partition(",")
    words = first.split()
    return f"{words[0]} {last.title()}" if len(words) == 2 and " " not in last else ""


def _other_form(name: str, _chance: random.Random) -> str:
    words = name.split()
    return " ".join(_FORMS.get(word.upper().strip(","), word) for word in words)


def _joined(name: str, chance: random.Random) -> str:
    words = name.split()
    places = [at for at in range(len(words) - 1) if words[at].isalpha() and words[at + 1].isalpha()]
    if not places:
        return name.lower()
    at = chance.choice(places)
    return " ".join([*words[:at], words[at] + words[at + 1], *words[at + 2 :]])


def _siblings(parties: Sequence[Party], kind: NameKind, chance: random.Random) -> list[Pair]:
    """Return pairs of two parties that share a word and differ in another."""
    by_word: dict[str, list[Party]] = {}
    for party in parties:
        for word in prepared(party.name, kind).words:
            if len(word) > 3:
                by_word.setdefault(word, []).append(party)
    shared = [listed for word, listed in sorted(by_word.items()) if 2 <= len(listed) <= 80]
    made: list[Pair] = []
    for _ in range(PER_KIND * 20):
        if len(made) >= PER_KIND:
            break
        one, other = chance.sample(chance.choice(shared), 2)
        words, others = prepared(one.name, kind).words, prepared(other.name, kind).words
        # Lists have one party twice, and names that differ by a letter: nobody knows of those.
        ours, theirs = set(words) - set(others), set(others) - set(words)
        if ours and theirs and all(len(each) > 3 for each in ours | theirs):
            made.append(Pair(one.name, other.name, kind, False))
    return made


def _column(columns: dict[str, str], names: tuple[str, ...]) -> str:
    for name in names:
        if name in columns:
            return columns[name]
    raise SystemExit(f"no column is named any of {', '.join(names)}: there are {list(columns)}")
