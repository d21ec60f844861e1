"""What a key is, by its shape alone."""

import pytest

from settlement.trace import KeyKind, parse_key

HASH = "0x" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "kind", "looked_up", "number"),
    [
        ("inv_" + "0f" * 16, KeyKind.INVOICE, "inv_" + "0f" * 16, 0),
        ("STL_" + "0F" * 16, KeyKind.SETTLEMENT, "stl_" + "0f" * 16, 0),
        (" clr_" + "0f" * 16 + " ", KeyKind.CLEARANCE, "clr_" + "0f" * 16, 0),
        ("ctx_" + "0f" * 16, KeyKind.CHAIN_TX, "ctx_" + "0f" * 16, 0),
        ("brk_" + "0f" * 16, KeyKind.BREAK, "brk_" + "0f" * 16, 0),
        ("je_12", KeyKind.ENTRY, "je_12", 12),
        ("match_7", KeyKind.MATCH, "match_7", 7),
        (HASH, KeyKind.HASH, HASH, 0),
        ("0x" + "AB" * 32, KeyKind.HASH, HASH, 0),
        (f"{HASH}:3", KeyKind.LOG, HASH, 3),
        (f"log:{HASH}:3", KeyKind.LOG, HASH, 3),
        (f"log:{HASH}:3:2", KeyKind.LOG, HASH, 3),
        ("ab" * 32, KeyKind.DOCUMENT, "ab" * 32, 0),
        ("RE-2026/0417", KeyKind.WORDS, "RE-2026/0417", 0),
        ("je_0", KeyKind.WORDS, "je_0", 0),
        ("je_12x", KeyKind.WORDS, "je_12x", 0),
        ("0x12", KeyKind.WORDS, "0x12", 0),
        ("je_" + "9" * 30, KeyKind.WORDS, "je_" + "9" * 30, 0),
    ],
)
def test_a_key_is_told_by_its_shape(text: str, kind: KeyKind, looked_up: str, number: int) -> None:
    key = parse_key(text)

    assert (key.kind, key.text, key.number) == (kind, looked_up, number)
