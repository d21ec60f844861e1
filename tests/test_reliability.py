"""docs/reliability.md names what is there: tests, commands, each meaning of a send's answer."""

import re
from pathlib import Path

from settlement.chain.port import SendOutcome
from settlement.chain.send_answers import meaning

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "reliability.md").read_text()
TABLE = TEXT.partition("## What a send's answer means")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", TABLE, re.MULTILINE)


def test_every_path_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:settlement|tests|contracts|docs|gateway)/[\w./]+)`", TEXT))

    assert len(named) > 15
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_every_bench_that_is_named_exists() -> None:
    named = set(re.findall(r"scripts/bench (\w+)", TEXT))

    assert named == {"faults", "kill", "ledger", "nonces"}
    assert all((ROOT / "scripts" / "benches" / f"{name}.py").is_file() for name in named)


def test_every_meaning_of_an_answer_is_told() -> None:
    assert [name for name, _ in ROWS] == [outcome.value for outcome in SendOutcome]


def test_a_node_s_words_mean_what_the_table_says() -> None:
    told = {name: re.findall(r"`([^`]+)`", words) for name, words in ROWS}

    assert sum(map(len, told.values())) >= 9
    for name, words in told.items():
        assert all(meaning(each).outcome == name for each in words), name
