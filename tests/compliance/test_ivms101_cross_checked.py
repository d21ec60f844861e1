"""Our shapes of IVMS 101 against a library that we did not write: npm's ivms101 2.0.0.

What we make is valid there; what is broken in any place is judged alike, but for places where the
standard is stricter than that library: there ours refuses more, and never less.
"""

import copy
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from settlement.compliance.travel_rule import ivms101 as ivms
from settlement.compliance.travel_rule.building import person, provider
from tests.compliance.test_travel_rule import a_party

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "contracts" / "node_modules"
JUDGE = ROOT / "tests" / "tools" / "judge_ivms101.mjs"
BROKEN: dict[str, Any] = {"empty": "", "number": 7, "object": {}, "list": [], "long": "x" * 150}


def _payload(debtor: dict[str, Any], creditor: dict[str, Any]) -> dict[str, Any]:
    one, other = a_party(**debtor), a_party(**creditor)
    made = ivms.Payload(
        originator=ivms.Originator(originator_person=[person(one)]),
        beneficiary=ivms.Beneficiary(beneficiary_person=[person(other)]),
        originating_vasp=provider(one),
        beneficiary_vasp=provider(other),
        payload_metadata=ivms.Metadata(payload_version=ivms.VERSION),
    )
    found: dict[str, Any] = ivms.plain(made)
    return found


SEEDS = [
    _payload({}, {"legal_form": "individual", "name": "Erika Mustermann", "lei": None}),
    _payload({"lei": None, "building_number": ""}, {"provider": "Custody Bank"}),
    _payload({"street": "", "post_code": ""}, {"country": "AE", "subdivision": "DU"}),
    _payload({"lei": None, "vat_id": None}, {"name": "Ü" * 120, "town": "x" * 60}),
]


def _judged(payloads: list[Any]) -> list[bool]:
    environment = {**os.environ, "IVMS101_MODULES": str(MODULES)}
    ran = subprocess.run(
        ["node", str(JUDGE)], input=json.dumps(payloads), capture_output=True, text=True,
        env=environment, check=True, timeout=240,
    )  # fmt: skip
    found: list[bool] = json.loads(ran.stdout)
    return found


def _is_ours(payload: Any) -> bool:
    try:
        ivms.Payload.model_validate(payload)
    except ValidationError:
        return False
    return True


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inner if isinstance(value, dict | list) else ():
        yield from _places(each, (*at, key))


def _broken() -> Iterator[tuple[str, Any]]:
    """Every place of every seed: left out, or with something else in it."""
    for seed in SEEDS:
        for at in _places(seed):
            for how in ("missing", *BROKEN):
                changed = copy.deepcopy(seed)
                parent = changed
                for key in at[:-1]:
                    parent = parent[key]
                if how == "missing":
                    del parent[at[-1]]
                else:
                    parent[at[-1]] = copy.deepcopy(BROKEN[how])
                yield f"{how} {'/'.join(map(str, at))}", changed


@pytest.mark.skipif(
    not (MODULES / "ivms101").is_dir(), reason="not run: npm's ivms101 is not installed"
)
def test_what_we_make_is_valid_and_what_is_broken_is_never_taken_by_us_alone() -> None:
    broken = list(_broken())

    made = _judged(SEEDS)
    theirs = _judged([payload for _name, payload in broken])

    assert made == [True] * len(SEEDS)
    only_ours = [
        name
        for (name, payload), is_theirs in zip(broken, theirs, strict=True)
        if _is_ours(payload) and not is_theirs
    ]
    assert only_ours == []
    alike = sum(
        _is_ours(payload) == is_theirs
        for (_name, payload), is_theirs in zip(broken, theirs, strict=True)
    )
    assert len(broken) > 1_000 and alike / len(broken) > 0.85
