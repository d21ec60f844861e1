"""Against which payments of a wallet a restriction stands."""

import pytest

from settlement.registry.restrictions import Restriction
from settlement.registry.standing import Standing


@pytest.mark.parametrize(
    ("standing", "contract", "holds"),
    [
        (Standing.UNLISTED, "0xrail", True),
        (Standing.LISTED, "0xrail", True),
        (Standing.FROZEN, "0xtoken", True),
        (Standing.FROZEN, "0xother", False),
        (Standing.FREE, "0xother", False),
    ],
)
def test_a_freeze_in_one_token_holds_no_payment_in_another(
    standing: Standing, contract: str, holds: bool
) -> None:
    assert Restriction("0xw", contract, standing, "").holds_for("0xtoken") is holds
