"""Lists for the screening bench, real ones from a folder or made up by a seed in OFAC's form.

And names of companies that are on none. It does not measure anything.
"""

from __future__ import annotations

import random
from pathlib import Path

from settlement.compliance.list_files.reading import ListFile, read_list

PARTIES = 7_400
_STARTS = tuple("b br d f g gr h j k kh l m n p r s sh t tr v z".split())  # noqa: SIM905
_ENDS = tuple("a e i o u al an ar en er im in on or ul ur".split())  # noqa: SIM905
_TRADES = (
    "Trading", "Shipping", "Industries", "Petroleum", "Exchange", "Bank", "Foundation", "Holding",
    "Engineering", "Logistics", "Steel", "Chemicals", "Aviation", "Marine", "Investment",
)  # fmt: skip
_FORMS = ("LTD.", "LLC", "GmbH", "S.A.", "OOO", "JSC", "CO., LTD.", "S.A. DE C.V.", "")
_GIVEN = (
    "Ahmad", "Muhammad", "Ali", "Hassan", "Sergey", "Aleksandr", "Dmitry", "Maksim", "Viktor",
    "Jose", "Carlos", "Juan", "Luis", "Maria", "Elena", "Omar", "Yusuf", "Ibrahim", "Chol", "Jong",
)  # fmt: skip
_COMPANY_WORDS = (
    "Trading", "Shipping", "Industries", "Group", "International", "Bank", "Logistics", "Steel",
    "Foods", "Technology", "Handels", "Import Export", "Machinery", "Textiles",
)  # fmt: skip
_COMPANY_FORMS = ("GmbH", "Ltd", "LLC", "S.A.", "OOO", "AG", "B.V.", "SARL")


def read_folder(folder: Path) -> dict[str, ListFile]:
    """Return each list of a folder; OFAC's files in CSV are one list."""
    parts: dict[str, list[bytes]] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file():
            continue
        words = path.stem.lower()
        is_ofac = path.suffix.lower() == ".csv" and any(
            each in words for each in ("sdn", "alt", "add")
        )
        parts.setdefault("ofac" if is_ofac else path.stem, []).append(path.read_bytes())
    if "ofac" in parts:  # SDN first: by its columns it is known for what it is.
        parts["ofac"].sort(key=lambda content: -content[:2_000].split(b"\n")[0].count(b","))
    return {name: read_list(name, b"\n".join(contents)) for name, contents in parts.items()}


def made_up(seed: int = 7) -> bytes:
    """Return a list of people and companies who do not exist, with aliases."""
    chance = random.Random(seed)
    words = [_word(chance) for _ in range(6_000)]
    main, aliases = [], []
    for number in range(1, PARTIES + 1):
        if number % 2:
            last, first = chance.choice(words), chance.choice(_GIVEN)
            middle = chance.choice([*_GIVEN, chance.choice(words)])
            name, kind = f"{last.upper()}, {first} {middle}", '"individual"'
            others = [f"{first} {last}", f"{last}, {first[:1]}. {middle}"]
        else:
            core = " ".join(chance.choice(words).upper() for _ in range(chance.choice((1, 1, 2))))
            trade = chance.choice(_TRADES).upper()
            name, kind = f"{core} {trade} {chance.choice(_FORMS)}".strip(), "-0- "
            others = [f"{core} {trade}", f"{chance.choice(words).upper()} {trade}"]
        main.append(f'{number},"{name}",{kind},"MADEUP",' + ",".join(["-0- "] * 8))
        for place in range(chance.choice((0, 1, 1, 2))):
            alias = f'{number},{number * 10 + place},"aka","{others[place]}",-0- '
            aliases.append(alias)
    return ("\r\n".join([*main, *aliases]) + "\r\n").encode()


def company(chance: random.Random) -> str:
    """Return a company's name that nobody made for a list."""
    core = " ".join(_short_word(chance) for _ in range(chance.choice((1, 1, 2))))
    return f"{core} {chance.choice(_COMPANY_WORDS)} {chance.choice(_COMPANY_FORMS)}"


def misspelt(name: str, chance: random.Random) -> str:
    """Return a name with one letter less."""
    at = chance.randrange(max(1, len(name) - 1))
    return name[:at] + name[at + 1 :]


def _word(chance: random.Random) -> str:
    size = chance.choice((2, 2, 3))
    made = "".join(chance.choice(_STARTS) + chance.choice(_ENDS) for _ in range(size))
    return made.capitalize()


def _short_word(chance: random.Random) -> str:
    made = "".join(chance.choice("bcdfghklmnprstvz") + chance.choice("aeiou")
                   for _ in range(chance.choice((2, 3, 3, 4))))  # fmt: skip
    return (made + chance.choice(("", "n", "r", "s", "k"))).capitalize()
