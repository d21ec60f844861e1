"""Puts a world together: clean payments, colliding ones, groups, expectations, and every trouble.

The shares are here; what each piece is stands in `_trouble_builder`, `_trouble_rail` and
`_trouble_bank`.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from scripts.benches import _trouble_bank, _trouble_rail
from scripts.benches._trouble import (
    PAYOUT_DAYS,
    WORKING_DAYS,
    World,
)
from scripts.benches._trouble_balances import label_balances
from scripts.benches._trouble_builder import (
    Builder,
    colliding,
    not_due,
    plain,
)
from scripts.benches._trouble_names import (
    ISSUER_RESERVES,
    buyer_id,
    buyer_wallet,
    name_of,
)

ZERO = "0x" + "00" * 20
ROWS_MIN = 200
ROWS_OF_ONE_TROUBLE = 2_500
"""One of each kind of trouble for so many payments, and at least one."""
ROWS_OF_ONE_GROUP = 1_000
COLLIDING_PERCENT = 12
NOT_DUE_PERCENT = 1
EXPECTED_PERCENT = 2


def build(rows: int, seed: int) -> World:
    """A world of `rows` payments, the same for the same seed.

    Raises:
        ValueError: too few rows to hold one trouble of each kind.
    """
    if rows < ROWS_MIN:
        raise ValueError(f"a world has at least {ROWS_MIN} payments")
    builder = Builder(rows, seed)
    for planters in (_trouble_rail.PLANTERS, _trouble_bank.PLANTERS):
        for planter in planters.values():
            for _ in range(max(1, rows // ROWS_OF_ONE_TROUBLE)):
                planter(builder)
    for group in _trouble_bank.GROUPS:
        for _ in range(max(1, rows // ROWS_OF_ONE_GROUP)):
            group(builder)
    for _ in range(rows * EXPECTED_PERCENT // 100):
        builder.random.choice(_trouble_bank.EXPECTED)(builder)
    payments = builder.world.payments
    for _ in range(max(1, rows * NOT_DUE_PERCENT // 100)):
        not_due(builder)
    target = len(payments) + rows * COLLIDING_PERCENT // 100
    while len(payments) < target:
        colliding(builder, builder.random.randint(2, 4))
    # Troubles have taken rows from some sources: clean payments fill every one of them up.
    for _ in range(max(0, rows - min(counts(builder.world).values()))):
        plain(builder)
    _fund(builder)
    label_balances(builder.world)
    # As they happened; `shuffled` gives every other order.
    builder.world.payments.sort(key=lambda each: (each.day, each.number))
    builder.world.bank.sort(key=lambda each: (each.day, each.number))
    return builder.world


def counts(world: World) -> dict[str, int]:
    """How many rows stand in each of the four sources."""
    return {
        "settlements": len(world.payments),
        "chain": sum(len(each.shown) for each in world.payments if each.outcome == "paid"),
        "ledger": sum(len(each.booked) for each in world.payments if not each.is_reorged),
        "bank": len(world.bank),
    }


def colliding_share(world: World) -> float:
    """Which share of the payments has a twin: same amount, currency, parties and date."""
    twins = Counter((p.seller, p.buyer, p.unit, p.cents, p.day) for p in world.payments)
    return sum(n for n in twins.values() if n > 1) / len(world.payments)


def _fund(build: Builder) -> None:
    """Mint for every buyer what he pays, against the reserve of each token at a bank."""
    needed: dict[tuple[int, int], int] = {}
    for payment in build.world.payments:
        for shown in (*payment.shown, *payment.booked):
            key = (payment.buyer, shown.unit)
            needed[key] = needed.get(key, 0) + shown.cents
    for (buyer, unit), cents in sorted(needed.items()):
        mint = build.move(
            "mint", build.funding_block(), payer=ZERO, payee=buyer_wallet(buyer), unit=unit,
            cents=cents,
        )  # fmt: skip
        day = WORKING_DAYS[0] + timedelta(days=build.random.randint(0, PAYOUT_DAYS))
        row = build.row(ISSUER_RESERVES[unit], cents, day, name=name_of(buyer_id(buyer)))
        build.match(mint, row)
    buyer, unit = 0, build.random.randrange(2)
    unbacked = build.move(
        "mint", build.funding_block(), payer=ZERO, payee=buyer_wallet(buyer), unit=unit,
        cents=build.random.randint(1_000, 2_000),
    )  # fmt: skip
    build.trouble("mint_without_reserve", "missing_at_bank", unbacked.key)
