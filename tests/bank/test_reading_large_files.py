"""A large file is read without a tree where it is plain, and gives what the tree gives."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from settlement.documents.iso20022 import reading, reading_large
from settlement.documents.iso20022.reading_cut import BLOCK_BYTES, NotPlain
from settlement.documents.iso20022.reading_model import Read, StatementRefused
from tests.bank.builders import Movement, a_camt

GOOD = a_camt(
    *(Movement(f"{number}.25", reference=f"BK-{number}") for number in range(1, 9)),
    Movement("-4.00", reference="BK-20", charges="0.50", reason="AC04"),
    Movement("-5.00", reference="BK-21", end_to_end="NOTPROVIDED", remittance="a > b & 'c' \"d\""),
    Movement("30.00", reference="BK-22", details=("10.00", "20.00")),
    Movement("30.00", reference=None, details=("10.00", "20.00")),
    Movement("7.00", reference="BK-23", status="PDNG", is_reversal=True),
)
TWO = GOOD.replace(b"</Stmt>", b"</Stmt>" + re.findall(rb"<Stmt>.*</Stmt>", GOOD, re.S)[0])


def _taken(content: bytes, path: Path | None) -> list[Any]:
    """All that is read, entry by entry; a refusal at last."""
    found: list[Any] = []
    file = BytesIO(content)
    try:
        if path is not None:
            path.write_bytes(content)
            file = path.open("rb")  # type: ignore[assignment]
        for each in reading.read(file, reading.message_of(file), path):
            found.extend(each if isinstance(each, list) else [each])
    except StatementRefused as refusal:
        found = [type(refusal), str(refusal), refusal.line, refusal.path]
    finally:
        file.close()
    return found


def _both(monkeypatch: pytest.MonkeyPatch, path: Path, content: bytes) -> tuple[Any, Any]:
    """What is read as a tree, and what is read as of a large file."""
    as_tree = _taken(content, None)
    monkeypatch.setattr(reading, "BY_SHAPE_BYTES", 1)
    return as_tree, _taken(content, path)


@pytest.fixture
def given_up(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One number for each file that was not plain to its end: how much was given before."""
    noted: list[int] = []
    plainly = reading_large._plainly

    def watched(*arguments: Any) -> Iterator[Read]:
        try:
            yield from plainly(*arguments)
        except NotPlain:
            noted.append(arguments[-1].entries)
            raise

    monkeypatch.setattr(reading_large, "_plainly", watched)
    return noted


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"><", b">\n  <"),
        GOOD.replace(b"Al Noor", b"&#65;l N&#x6F;or &lt;&quot;&apos; Stra\xc3\x9fe"),
        GOOD.replace(b"<Nm>Al Noor Trading LLC</Nm>", b"<Nm> </Nm>"),
        GOOD.replace(b"</Stmt>", b"<AddtlStmtInf>for you</AddtlStmtInf></Stmt>"),
        GOOD.replace(b"<Stmt>", b"<!-- a bank's remark --><Stmt>"),
        a_camt(Movement(), Movement("-3.00"), message="camt.054"),
        a_camt(*(Movement(reference=f"BK-{number}") for number in range(4)), version="02"),
    ],
)
def test_a_plain_file_gives_the_same_without_a_tree(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given_up: list[int], content: bytes
) -> None:
    as_tree, as_large = _both(monkeypatch, tmp_path / "file.xml", content)

    assert as_large == as_tree and len(as_tree) > 3
    assert given_up == []


@pytest.mark.parametrize(
    "content",
    [
        TWO.replace(b"<Id>STMT-1</Id>", b"<Id>STMT-2</Id>", 1),
        GOOD.replace(b"<Ntry>", b"<!-- </Ntry> --><Ntry>"),
        GOOD.replace(b"<Nm>Al Noor Trading LLC</Nm>", b"<Nm><![CDATA[</Ntry> & Co]]></Nm>"),
        GOOD.replace(b"<Nm>Al Noor Trading LLC</Nm>", b"<Nm>Al <?ask a?>Noor</Nm>"),
        GOOD.replace(b'encoding="UTF-8"', b'encoding="ISO-8859-1"').replace(b"Noor", b"N\xf6r"),
        GOOD.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        GOOD.replace(b"Noor", b"No\ror"),
        re.sub(rb"<(/?)(?=[A-Z])", rb"<\1n:", GOOD).replace(b"xmlns=", b"xmlns:n="),
        GOOD.replace(b"<Ntry>", b"<Ntry >"),
        GOOD.replace(b"Noor", b"N&#00000000000065;oor"),
        GOOD.replace(b"Noor", b"N&#13;oor"),
    ],
)
def test_a_file_that_is_not_plain_gives_the_same_as_a_tree(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given_up: list[int], content: bytes
) -> None:
    as_tree, as_large = _both(monkeypatch, tmp_path / "file.xml", content)

    assert as_large == as_tree and len(as_tree) > 4
    assert len(given_up) == 1


def test_what_is_not_plain_behind_many_blocks_gives_no_entry_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given_up: list[int]
) -> None:
    movements = [Movement("1.00", reference=f"BK-{number}") for number in range(4_000)]
    content = a_camt(*movements).replace(b"BK-3999<", b"BK-<!-- here -->3999<")
    assert len(content) > 2 * BLOCK_BYTES

    as_tree, as_large = _both(monkeypatch, tmp_path / "file.xml", content)

    # The tree gives the lines behind 65,535 only nearly; here there are fewer.
    assert as_large == as_tree and len(as_tree) == 4_002
    assert 0 < given_up[0] < 4_000


@pytest.mark.parametrize(
    "content",
    [
        *(GOOD[: len(GOOD) * part // 7] for part in range(1, 7)),
        GOOD.replace(b"</Document>", b""),
        GOOD.replace(b"</Document>", b"</Document><Document/>"),
        GOOD.replace(b"BK-5", b"BK\xff5"),
        GOOD.replace(b"BK-5", b"BK\x005"),
        GOOD.replace(b"BK-5", b"BK&ask;5"),
        GOOD.replace(b"BK-5", b"BK&#x110000;5"),
        GOOD.replace(b"BK-5", b"BK&#xD800;5"),
        GOOD.replace(b"BK-5", b"BK&#" + b"9" * 5_000 + b";5"),
        GOOD.replace(b"BK-5", b"BK]]>5"),
        GOOD.replace(b"<Nm>", b"<Nm a='1' a='2'>", 1),
        GOOD.replace(b"<NtryDtls>", b"words<NtryDtls>", 5),
        GOOD.replace(b"<BookgDt>", b"<Foo/><BookgDt>", 2),
        GOOD.replace(b"</Ntry>\n<Ntry>", b"</Ntry>words<Ntry>", 1),
        GOOD.replace(b'<Amt Ccy="EUR">4.25', b'<Amt Ccy="USD">4.25'),
        GOOD.replace(b'<Amt Ccy="EUR">4.25', b'<Amt Ccy="EUR">-4.25'),
        GOOD.replace(b"10.00", b"10.01"),
        GOOD.replace(b"2026-11-20</Dt></BookgDt>", b"2026-13-20</Dt></BookgDt>"),
    ],
)
def test_a_bad_file_is_refused_in_the_same_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    assert content != GOOD
    as_tree, as_large = _both(monkeypatch, tmp_path / "file.xml", content)

    assert issubclass(as_large[0], StatementRefused)
    # Several things are wrong in some: what is found first may differ.
    assert as_large[0] is as_tree[0] or as_large[2] <= as_tree[2]


def test_a_doctype_is_refused_of_a_large_file_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    content = GOOD.replace(b"<Document", b" " * 70_000 + b"<!DOCTYPE Document><Document")

    as_tree, as_large = _both(monkeypatch, tmp_path / "file.xml", content)

    assert as_large == as_tree and issubclass(as_large[0], StatementRefused)
