"""Plants what is wrong between rail, expectations and banks, and the groups that are right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from scripts.benches._trouble import (
    PAYOUT_DAYS,
    WORKING_DAYS,
    YESTERDAY,
    BankRow,
    Expected,
    Gap,
    Payment,
)
from scripts.benches._trouble_builder import Builder
from scripts.benches._trouble_names import (
    seller_account,
    statement_id,
)


def missing_at_bank(build: Builder) -> None:
    """Paid on the rail, and the bank never paid it out."""
    payment = build.agreed(build.payment())
    build.trouble("missing_at_bank", "missing_at_bank", payment.key)


def expected_missing(build: Builder) -> None:
    """Somebody said that it would come, and its last day has passed."""
    made = build.expectation(reference=build.random.random() < 0.5)
    build.trouble("expected_missing", "missing_at_bank", made.key)


def amount_at_bank(build: Builder) -> None:
    """The bank paid out another amount, and says nothing of charges."""
    payment, row = _told(build)
    row.cents = build.amount(payment.seller)
    build.trouble("amount_at_bank", "amount", payment.key, row.key)


def fee_at_bank(build: Builder) -> None:
    """The bank paid out less, and says that it kept the rest."""
    payment, row = _told(build)
    row.charges = min(build.random.randint(100, 2_500), payment.cents // 2)
    row.cents -= row.charges
    build.trouble("fee_at_bank", "fee", payment.key, row.key)


def currency(build: Builder) -> None:
    """The bank paid out in another currency, into the account of that currency."""
    payment, row = _told(build)
    row.unit = 1 - row.unit
    row.account = seller_account(payment.seller, row.unit)
    build.trouble("currency", "currency", payment.key, row.key)


def payee_at_bank(build: Builder) -> None:
    """The bank paid out to somebody else."""
    payment, row = _told(build)
    other = build.another(build.world.sellers, payment.seller)
    row.account = seller_account(other, payment.unit)
    build.trouble("payee_at_bank", "payee", payment.key, row.key)


def duplicate_at_bank(build: Builder) -> None:
    """The bank paid out twice: nobody can say which of the two is the payment."""
    payment, row = _told(build)
    again = build.row(row.account, row.cents, row.day, end_to_end_id=row.end_to_end_id)
    again.name, again.counterparty_account = row.name, row.counterparty_account
    build.trouble("duplicate_at_bank", "duplicate", payment.key, row.key, again.key)


def unattributed_bank_credit(build: Builder) -> None:
    """Money came, and nothing says why."""
    row = _stray(build, 1)
    build.trouble("unattributed_bank_credit", "unattributed_bank_credit", row.key)


def unattributed_bank_debit(build: Builder) -> None:
    """Money left, and nothing says why."""
    row = _stray(build, -1)
    build.trouble("unattributed_bank_debit", "unattributed_bank_debit", row.key)


def expected_arrived(build: Builder) -> None:
    """It came as somebody said, within the bounds: half by reference, half by amount and party."""
    has_reference = build.random.random() < 0.5
    slack = build.random.choice((0, 500)) if has_reference else 0
    made = build.expectation(reference=has_reference, slack=slack)
    row = _arrived(build, made, build.random.randint(made.low, made.high))
    build.match(made, row)


def expected_later(build: Builder) -> None:
    """It is to come within days from now: no break."""
    build.expectation(reference=True, day=YESTERDAY)


def short(build: Builder) -> None:
    """A third is missing of what was expected."""
    made = build.expectation(reference=True)
    row = _arrived(build, made, made.low * 2 // 3)
    build.trouble("short", "short", made.key, row.key)


def over(build: Builder) -> None:
    """A third more came than was expected."""
    made = build.expectation(reference=True)
    row = _arrived(build, made, made.high * 4 // 3)
    build.trouble("over", "over", made.key, row.key)


def fee(build: Builder) -> None:
    """Less came than was expected, by what a bank says it kept."""
    made = build.expectation(reference=True)
    charges = min(build.random.randint(100, 2_500), made.low // 2)
    row = _arrived(build, made, made.low - charges)
    row.charges = charges
    build.trouble("fee", "fee", made.key, row.key)


def late(build: Builder) -> None:
    """All of it came, days after the last on which it was expected."""
    made = build.expectation(reference=True, day=WORKING_DAYS[0], days=2)
    row = _arrived(build, made, made.low)
    row.day = made.last + timedelta(days=build.random.randint(3, 9))
    build.trouble("late", "late", made.key, row.key)


def ambiguous(build: Builder) -> None:
    """Twice the same payment and twice the same row, and nothing that tells which is which."""
    first = build.agreed(build.payment())
    second = build.agreed(
        build.payment(
            seller=first.seller, buyer=first.buyer, unit=first.unit, cents=first.cents,
            day=first.day,
        )
    )  # fmt: skip
    rows = [build.told(payment, "none") for payment in (first, second)]
    rows[1].name, rows[1].counterparty_account = rows[0].name, rows[0].counterparty_account
    keys = (first.key, second.key, *(row.key for row in rows))
    build.trouble("ambiguous", "ambiguous", *keys)


def ambiguous_row(build: Builder) -> None:
    """One payment and two rows that fit it equally well."""
    payment = build.agreed(build.payment())
    rows = [build.told(payment, "none") for _ in range(2)]
    rows[1].name, rows[1].counterparty_account = rows[0].name, rows[0].counterparty_account
    rows[1].day = rows[0].day
    build.trouble("ambiguous_row", "ambiguous", payment.key, *(row.key for row in rows))


def batched(build: Builder) -> None:
    """An invoice was paid in parts, and the bank pays them out in one sum."""
    payments = _parts_of_invoice(build, build.random.randint(2, 4))
    (row,) = _sums(build, payments, 1)
    _name(build, row, payments[0], "structured")
    build.match(*payments, row)


def split(build: Builder) -> None:
    """The bank pays out one payment in several sums, each with its id or its invoice's number."""
    payment = build.agreed(build.payment())
    rows = _sums(build, [payment], build.random.randint(2, 3))
    style = build.random.choice(("end_to_end", "structured", "text"))
    for row in rows:
        _name(build, row, payment, style)
    build.match(payment, *rows)


def regrouped(build: Builder) -> None:
    """An invoice was paid in two parts, and the bank pays them out in three sums that fit none."""
    payments = _parts_of_invoice(build, 2)
    rows = _sums(build, payments, 3)
    for row in rows:
        _name(build, row, payments[0], "structured")
    build.match(*payments, *rows)


def statement_gap(build: Builder) -> None:
    """A statement is missing: the next one begins where nobody has ended."""
    number = build.next("gap")
    if number > build.world.sellers:
        return
    payment = build.agreed(build.payment(seller=number - 1, unit=0, day=WORKING_DAYS[-1]))
    row = build.told(payment, "end_to_end")
    row.day = WORKING_DAYS[-1] + timedelta(days=2)
    build.match(payment, row)
    gap = Gap(row.account, row.day, build.random.randint(1, 9_999))
    build.world.gaps.append(gap)
    sid = statement_id(row.account, row.day)
    build.trouble("statement_gap", "statement_gap", gap.key, sid)


PLANTERS: Mapping[str, Callable[[Builder], None]] = MappingProxyType(
    {
        planter.__name__: planter
        for planter in (
            missing_at_bank, expected_missing, amount_at_bank, fee_at_bank, currency,
            payee_at_bank, duplicate_at_bank, unattributed_bank_credit, unattributed_bank_debit,
            short, over, fee, late, ambiguous, ambiguous_row, statement_gap,
        )
    }
)  # fmt: skip
GROUPS: tuple[Callable[[Builder], None], ...] = (batched, split, regrouped)
EXPECTED: tuple[Callable[[Builder], None], ...] = (expected_arrived, expected_later)


def _told(build: Builder) -> tuple[Payment, BankRow]:
    payment = build.agreed(build.payment())
    return payment, build.told(payment, "end_to_end")


def _stray(build: Builder, sign: int) -> BankRow:
    seller = build.random.randrange(build.world.sellers)
    account = seller_account(seller, build.random.randrange(2))
    cents = sign * build.amount(seller)
    day = build.random.choice(WORKING_DAYS)
    return build.row(account, cents, day, name="SOMEBODY ELSE", remittance="AS AGREED")


def _arrived(build: Builder, made: Expected, cents: int) -> BankRow:
    day = made.first + timedelta(days=build.random.randint(0, 2))
    row = build.row(seller_account(made.seller, made.unit), cents, day, name=made.counterparty)
    if made.reference is not None:
        if build.random.random() < 0.5:
            row.creditor_reference = made.reference
        else:
            row.remittance = f"ORDER {made.reference} WITH THANKS"
    return row


def _parts_of_invoice(build: Builder, count: int) -> list[Payment]:
    first = build.agreed(build.payment())
    parts = [first]
    for _ in range(count - 1):
        part = build.payment(
            seller=first.seller, buyer=first.buyer, unit=first.unit, day=first.day
        )  # fmt: skip
        part.part_of = first.number
        parts.append(build.agreed(part))
    return parts


def _sums(build: Builder, payments: list[Payment], count: int) -> list[BankRow]:
    first, total = payments[0], sum(each.cents for each in payments)
    cuts = sorted(build.random.sample(range(1, total), count - 1))
    account = seller_account(first.seller, first.unit)
    day = first.day + timedelta(days=build.random.randint(0, PAYOUT_DAYS))
    return [
        build.row(account, upper - lower, day)
        for lower, upper in zip([0, *cuts], [*cuts, total], strict=True)
    ]


def _name(build: Builder, row: BankRow, payment: Payment, style: str) -> None:
    if style == "end_to_end":
        row.end_to_end_id = payment.end_to_end_id
    elif style == "structured":
        row.creditor_reference = payment.invoice_number
    else:
        row.remittance = f"PART OF INVOICE {payment.invoice_number}"
