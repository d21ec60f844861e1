"""Our RLP against the rlp package, on nested values and on bytes that are none."""

import pytest
import rlp as theirs
from hypothesis import given
from hypothesis import strategies as st

from settlement.chain import rlp

ITEMS = st.recursive(
    st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5), max_leaves=12
)


def depth(item: object) -> int:
    return 1 + max(map(depth, item), default=0) if isinstance(item, list) else 0


@given(ITEMS.filter(lambda item: depth(item) <= rlp.MAX_DEPTH))
def test_values_are_encoded_as_by_the_package_and_come_back(item: object) -> None:
    encoded = rlp.encode(item)

    assert encoded == theirs.encode(item)
    assert rlp.decode(encoded) == item


@given(st.binary(max_size=40))
def test_bytes_are_read_as_by_the_package_or_refused_by_both(encoded: bytes) -> None:
    try:
        expected = theirs.decode(encoded)
    except (theirs.DecodingError, IndexError):
        with pytest.raises(ValueError, match="rlp"):
            rlp.decode(encoded)
    else:
        assert rlp.decode(encoded) == expected


def test_deep_nesting_is_refused() -> None:
    encoded = b"\xc0"
    for _ in range(30):
        encoded = bytes((0xC0 + len(encoded),)) + encoded

    with pytest.raises(ValueError, match="deep"):
        rlp.decode(encoded)


@given(st.integers(min_value=0, max_value=2**256))
def test_integers_are_shortest(value: int) -> None:
    coded = rlp.integer(value)

    assert int.from_bytes(coded, "big") == value
    assert coded[:1] != b"\0"
