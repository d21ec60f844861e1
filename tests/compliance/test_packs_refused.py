"""What files of a policy may not say: values that nothing could meet, and YAML that is a trap."""

import random
from collections.abc import Iterator

import pytest

from settlement.compliance import policies, policy
from settlement.compliance.policy import PackInvalid
from settlement.store import transaction
from tests.builders.rail import Rail
from tests.compliance.test_packs_read import HEAD, RULE

SHIPPED = policy.files_of()
WITH_LINE = 13
NO_VALUES = [
    ("listed_ownership", "{basis_points: 5000, compared: nonsense}", "`at_least` or `above`"),
    ("listed_ownership", "{basis_points: 10001}", "1 to 10000"),
    ("listed_ownership", "{basis_points: 0}", "1 to 10000"),
    ("contract_not_registered",
     "{units: 1, currency: RUB, countries: [RU], direction: sideways}", "`import` or `export`"),
    ("contract_not_registered",
     "{units: 1, currency: RUB, countries: [RU, XX], direction: import}", "XX"),
    ("legal_form_in", "{forms: [company]}", "legal_entity, sole_proprietor, individual"),
    ("mined_unregistered", "{register: mining_operators, forms: [firm]}", "legal_entity"),
    ("country_in", "{countries: [XX]}", "ISO 3166-1"),
    ("both_countries_in", "{countries: [DE, ZZ]}", "ISO 3166-1"),
    ("amount_at_least", "{units: 1, currency: ZZZ}", "ISO 4217"),
    ("sum_at_least", "{units: 1, currency: AAA, per: pair, period: day}", "ISO 4217"),
    ("goods_on_list", "{list: nolist}", "goods_nolist.csv"),
    ("name_listed", "{list: 'U N'}", "lower-case letters"),
    ("address_listed", "{list: UN}", "lower-case letters"),
    ("party_in_register", "{register: Regime Participants}", "lower-case letters"),
    ("asset_not_in_register", "{register: Permitted-Assets}", "lower-case letters"),
]  # fmt: skip
CONDITIONS = [
    ("party_countries: [XX]", "ISO 3166-1"),
    ("both_countries: [DE, QQ]", "ISO 3166-1"),
    ("currencies: [EURO]", "ISO 4217"),
    ("currencies: [ZZZ]", "ISO 4217"),
    ("registers: [Regime Participants]", "lower-case letters"),
    ("wallets: [custody]", "custodial"),
]
PACK = HEAD + RULE
_MANY = "    with: {countries: [&a " + "x" * 100_000 + ", *a" * 40_000 + "]}\n"
TRAPS = {
    "itself in a list": (HEAD[:-1] + " &a\n  - *a\n", "nested"),
    "itself in a mapping": ("id: &a {x: *a}\n", "nested"),
    "deep lists": (HEAD[:-1] + " " + "[" * 100 + "]" * 100 + "\n", "nested"),
    "very deep lists": ("rules: " + "[" * 100_000, "nested"),
    "deep dashes": ("rules:\n  " + "- " * 5_000 + "x\n", "nested"),
    "a long text many times": (HEAD + RULE.replace("token_not_listed", "country_in") + _MANY,
                               "letters"),
    "a long key": ("? " + "x" * 100_000 + "\n: 1\n", "no key"),
    "a tag of Python": (PACK.replace("A pack", "!!python/object/apply:os.system [id]"), "tag"),
    "a tag of its own": (PACK.replace("one", "!own one"), "tag"),
    "binary": (PACK.replace("one", "!!binary aGVsbG8="), "tag"),
    "a merged mapping": (PACK.replace("  - id", "  - &x\n    id") + "  - <<: *x\n    id: R-2\n",
                         "no key '<<'"),
    "no such character": (PACK.replace("A pack", '"\\UFFFFFFFF"'), "character"),
    "past the last character": (PACK.replace("A pack", '"\\U00110000"'), "character"),
    "half a character": (PACK.replace("A pack", '"\\ud800"'), "character"),
    "a zero byte": (PACK.replace("A pack", '"\\0"'), "character"),
    "a bell": (PACK.replace("A pack", '"\\a"'), "character"),
    "a bell in a key": (PACK.replace("title: t", '"\\a": t'), "character"),
    "two documents": (PACK + "---\n" + PACK, "document"),
    "no alias": (HEAD[:-1] + " *gone\n", "undefined alias"),
    "a key that is a list": ("[1]: 2\n", "a key is no text"),
    "a day without dashes": (PACK.replace("2026-11-01", "20261101"), "no date"),
    "a day of a week": (PACK.replace("2026-11-01", "2026-W01-1"), "no date"),
    "no day": (PACK.replace("2026-11-01", "2026-02-30"), "no date"),
    "an id in other digits": (PACK.replace("id: one", "id: pack-\u0661"), "id"),
    "an id without end": (PACK.replace("R-1", "R" * 61), "id"),
    "a huge number": (PACK.replace("token_not_listed", "over_units")
                      + "    with: {units: " + "9" * 5_000 + "}\n", "decimal number"),
    "nothing": ("", "no mapping"),
    "a text": ("x", "no mapping"),
    "a list": ("- x", "no mapping"),
}  # fmt: skip


def _with(predicate: str, options: str, head: str = HEAD) -> dict[str, bytes]:
    rule = f"  - id: R-1\n    title: t\n    predicate: {predicate}\n    outcome: HOLD\n"
    return {"one.yaml": f"{head}{rule}    with: {options}\n".encode()}


@pytest.mark.parametrize(("predicate", "options", "words"), NO_VALUES)
def test_a_value_that_nothing_could_meet_is_refused(
    predicate: str, options: str, words: str
) -> None:
    with pytest.raises(PackInvalid) as told:
        policy.read(_with(predicate, options))

    assert words in str(told.value)
    assert told.value.line == WITH_LINE


@pytest.mark.parametrize(("condition", "words"), CONDITIONS)
def test_a_condition_that_nothing_could_meet_is_refused(condition: str, words: str) -> None:
    head = HEAD.replace("rules:", f"applies_to:\n  - {condition}\nrules:")

    with pytest.raises(PackInvalid) as told:
        policy.read(_with("over_units", "{units: 1}", head))

    assert words in str(told.value) and told.value.line == 9


def test_a_rule_does_not_outlive_its_list_of_goods() -> None:
    without = {name: content for name, content in SHIPPED.items() if name != "goods_dual_use.csv"}
    empty = {**SHIPPED, "goods_dual_use.csv": b"hs_prefix,category,as_of,source\n"}
    line = SHIPPED["baseline.yaml"].decode().splitlines().index("    with: {list: dual_use}") + 1

    for files in (without, empty):
        with pytest.raises(PackInvalid, match=rf"baseline.yaml:{line}: .*goods_dual_use.csv"):
            policy.read(files)
    rates = SHIPPED["rates.csv"].replace(b"USD,", b"USX,")
    with pytest.raises(PackInvalid, match="'USX' is no ISO 4217 code"):
        policy.read({**SHIPPED, "rates.csv": rates})


@pytest.mark.parametrize("name", ["baseline", "un"])
def test_what_is_always_on_is_not_taken_out(rail: Rail, name: str) -> None:
    file, head = f"{name}.yaml", HEAD.replace("id: one", f"id: {name}")
    ways = (
        None,
        HEAD + RULE,
        head + RULE.replace("HOLD", "FLAG"),
        head.replace("in_force", "proposed") + RULE,
        head.replace("rules:", "valid_until: 2026-01-01\nrules:") + RULE,
        head.replace("rules:", "applies_to:\n  - party_countries: [AQ]\nrules:") + RULE,
    )

    with transaction(rail.engine) as session:
        for way in ways:
            content = None if way is None else way.encode()
            with pytest.raises(PackInvalid, match=f"the pack {name} is always on") as told:
                policies.draft(session, {file: content}, note="x", actor="per_1", now=rail.now)
            assert told.value.name == file
        kept = policies.listed(session)
        other = policies.draft(
            session, {file: (head + RULE).encode()}, note="x", actor="per_1", now=rail.now
        )

    assert [each.version for each in kept] == [1], "nothing is kept of what is refused"
    assert other.version == 2, "its rules are changed by two people, as any"


@pytest.mark.parametrize("name", TRAPS)
def test_yaml_that_is_a_trap_is_refused_in_few_words(name: str) -> None:
    content, words = TRAPS[name]

    with pytest.raises(PackInvalid) as told:
        policy.read({"trap.yaml": content.encode()})

    assert words in str(told.value) and len(str(told.value)) < 1_000
    assert policy.read({"trap.yaml": PACK.encode()}).rules, "without the trap it is read"


def _rubbish(chance: random.Random) -> Iterator[bytes]:
    signs = ["- ", "? ", ": ", "&a ", "*a ", "<<", "{", "}", "[", "]", ",", "|", ">", "'", '"',
             "!", "!!int ", "%", "@", "#", "\n", "\n  ", "\t", "---\n", "...\n", "~", "0x1F",
             "\\U", "\x00", "\ufeff", "é", "rules:", "id: a\n"]  # fmt: skip
    for _ in range(400):
        yield "".join(chance.choices(signs, k=chance.randint(0, 40))).encode()
    for _ in range(50):
        yield chance.randbytes(chance.randint(1, 60))


def test_rubbish_is_only_ever_refused() -> None:
    for content in _rubbish(random.Random(11)):
        with pytest.raises(PackInvalid):
            policy.read({"rubbish.yaml": content})


def test_a_pack_with_a_slip_is_read_or_refused() -> None:
    chance = random.Random(12)
    whole = SHIPPED["us.yaml"]
    outcomes = set()

    for _ in range(300):
        at, piece = chance.randrange(len(whole)), chance.randbytes(chance.choice((0, 1, 1, 3)))
        slip = whole[:at] + piece + whole[at + chance.choice((0, 1, 8)) :]
        try:
            policy.read({"us.yaml": slip})
            outcomes.add("read")
        except PackInvalid:
            outcomes.add("refused")

    assert outcomes == {"read", "refused"}
