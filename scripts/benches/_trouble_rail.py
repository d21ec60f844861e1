"""Plants what is wrong between settlements, chain and ledger; each function plants one trouble."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from scripts.benches._trouble import (
    WORKING_DAYS,
    Payment,
)
from scripts.benches._trouble_builder import Builder
from scripts.benches._trouble_names import (
    buyer_wallet,
    seller_wallet,
    stranger,
)


def missing_on_chain(build: Builder) -> None:
    """Booked, and no log says so; the creditor was not paid out either."""
    payment = build.payment()
    payment.shown = ()
    _label(build, "missing_on_chain", "missing_on_chain", payment)


def missing_in_ledger(build: Builder) -> None:
    """Paid on the chain and at the bank; the books have no entry."""
    payment = build.payment()
    payment.booked = ()
    build.told(payment, "end_to_end")
    _label(build, "missing_in_ledger", "missing_in_ledger", payment)


def unpaired(build: Builder) -> None:
    """The rail says settled, and no Transfer stands beside it."""
    payment = build.payment()
    payment.shown = tuple(shown._replace(is_paired=False) for shown in payment.shown)
    payment.booked = ()
    _label(build, "unpaired", "unpaired", payment)


def amount_on_chain(build: Builder) -> None:
    """The chain paid another amount than was instructed; bank and books follow the chain."""
    payment = build.payment()
    other = build.amount(payment.seller)
    payment.shown = payment.booked = tuple(s._replace(cents=other) for s in payment.shown)
    row = build.told(payment, "end_to_end")
    row.cents = other
    _label(build, "amount_on_chain", "amount", payment)


def amount_in_ledger(build: Builder) -> None:
    """The entry has another amount than settlement and chain."""
    payment = build.payment()
    payment.booked = tuple(s._replace(cents=s.cents + 100) for s in payment.shown)
    build.told(payment, "end_to_end")
    _label(build, "amount_in_ledger", "amount", payment)


def payee_on_chain(build: Builder) -> None:
    """The chain paid somebody else."""
    payment = build.payment()
    other = build.another(build.world.sellers, payment.seller)
    payment.shown = payment.booked = tuple(s._replace(seller=other) for s in payment.shown)
    _label(build, "payee_on_chain", "payee", payment)


def duplicate_on_chain(build: Builder) -> None:
    """Two Settled logs under one reference, both booked."""
    payment = build.payment()
    again = payment.shown[0]._replace(index=build.extra(payment.shown[0].block))
    payment.shown = payment.booked = (*payment.shown, again)
    build.told(payment, "end_to_end")
    _label(build, "duplicate_on_chain", "duplicate", payment)


def duplicate_in_ledger(build: Builder) -> None:
    """One payment on the chain, and two entries for it."""
    payment = build.payment()
    again = payment.shown[0]._replace(index=build.extra(payment.shown[0].block))
    payment.booked = (*payment.booked, again)
    build.told(payment, "end_to_end")
    _label(build, "duplicate_in_ledger", "duplicate", payment)


def not_booked(build: Builder) -> None:
    """Paid for good on all sides, and the settlement still says that it waits."""
    payment = build.payment()
    payment.state = "CONFIRMING"
    build.told(payment, "end_to_end")
    _label(build, "not_booked", "not_booked", payment)


def rejected(build: Builder) -> None:
    """The rail refused it, for good."""
    payment = build.payment()
    payment.booked = ()
    payment.state, payment.outcome = "REJECTED", "rejected"
    _label(build, "rejected", "rejected", payment)


def reorged(build: Builder) -> None:
    """Booked, thrown out by a reorg, its entry reversed; it has not come back."""
    payment = build.payment()
    payment.is_reorged = True
    payment.state, payment.outcome = "SUBMITTED", None
    _label(build, "reorged", "reorged", payment)


def token_on_chain(build: Builder) -> None:
    """The rail paid the right amount in another token than was instructed."""
    payment = build.payment()
    payment.shown = payment.booked = tuple(s._replace(unit=1 - s.unit) for s in payment.shown)
    _label(build, "token_on_chain", "payee", payment)


def wrong_token(build: Builder) -> None:
    """The buyer sent what an open invoice asks for, past the rail and in another currency."""
    seller, buyer = _two(build)
    claim = build.claim(seller, buyer)
    move = build.move(
        "transfer", build.block_of(build.random.choice(WORKING_DAYS)), payer=buyer_wallet(buyer),
        payee=seller_wallet(seller), unit=1 - claim.unit, cents=claim.cents,
    )  # fmt: skip
    build.trouble("wrong_token", "wrong_token", move.key)


def duplicate_past_rail(build: Builder) -> None:
    """The buyer sent once more, past the rail, what a settlement has paid already."""
    payment = build.agreed(build.payment())
    build.match(payment, build.told(payment, "end_to_end"))
    move = build.move(
        "transfer", payment.shown[0].block, payer=buyer_wallet(payment.buyer),
        payee=seller_wallet(payment.seller), unit=payment.unit, cents=payment.cents,
    )  # fmt: skip
    build.trouble("duplicate_past_rail", "duplicate", move.key)


def late_invoice(build: Builder) -> None:
    """Due two weeks ago, still open, and nothing on its way."""
    claim = build.claim(*_two(build), due=WORKING_DAYS[4])
    build.trouble("late_invoice", "late", claim.key)


def late_payment(build: Builder) -> None:
    """Paid a week after the day that was asked for, and after the invoice was due."""
    payment = build.agreed(build.payment(day=WORKING_DAYS[-1]))
    payment.asked_for = payment.due = WORKING_DAYS[4]
    build.match(payment, build.told(payment, "end_to_end"))
    _label(build, "late_payment", "late", payment)


def unknown_settlement(build: Builder) -> None:
    """The rail settled under a reference that no settlement has."""
    seller, buyer = _two(build)
    move = build.move(
        "settled", build.block_of(build.random.choice(WORKING_DAYS)), payer=buyer_wallet(buyer),
        payee=seller_wallet(seller), unit=0, cents=build.amount(seller),
    )  # fmt: skip
    settled = f"log:{move.block}:{move.index + 1}"
    build.trouble("unknown_settlement", "unknown_settlement", move.key, settled)


def unattributed_deposit(build: Builder) -> None:
    """A stranger sent tokens to a wallet of ours."""
    seller, _buyer = _two(build)
    _bare(build, "unattributed_deposit", stranger(1), seller_wallet(seller), seller)


def unattributed_withdrawal(build: Builder) -> None:
    """A wallet of ours sent tokens to a stranger."""
    seller, buyer = _two(build)
    _bare(build, "unattributed_withdrawal", buyer_wallet(buyer), stranger(2), seller)


def tie_out(build: Builder) -> None:
    """A wallet has more than every log explains: the token changed a balance by itself.

    `_trouble_balances` labels it, with the balances that other troubles have moved.
    """
    number = build.next("untied")
    if number > build.world.sellers:
        return
    address = seller_wallet(number - 1)
    build.world.untied.append((address, 0, number))


def stuck(build: Builder) -> None:
    """Sent long ago, and neither paid nor refused."""
    payment = build.payment(day=WORKING_DAYS[0] + timedelta(days=build.random.randrange(3)))
    payment.shown = payment.booked = ()
    payment.state, payment.outcome = "SUBMITTED", None
    _label(build, "stuck", "stuck", payment)


PLANTERS: Mapping[str, Callable[[Builder], None]] = MappingProxyType(
    {
        planter.__name__: planter
        for planter in (
            missing_on_chain,
            missing_in_ledger,
            unpaired,
            amount_on_chain,
            amount_in_ledger,
            payee_on_chain,
            duplicate_on_chain,
            duplicate_in_ledger,
            not_booked,
            rejected,
            reorged,
            token_on_chain,
            wrong_token,
            duplicate_past_rail,
            late_invoice,
            late_payment,
            unknown_settlement,
            unattributed_deposit,
            unattributed_withdrawal,
            tie_out,
            stuck,
        )
    }
)


def _label(build: Builder, variant: str, kind: str, payment: Payment) -> None:
    build.trouble(variant, kind, payment.key)


def _two(build: Builder) -> tuple[int, int]:
    draw = build.random
    return draw.randrange(build.world.sellers), draw.randrange(build.world.buyers)


def _bare(build: Builder, kind: str, payer: str, payee: str, seller: int) -> None:
    block = build.block_of(build.random.choice(WORKING_DAYS))
    unit, cents = build.random.randrange(2), build.amount(seller)
    move = build.move("transfer", block, payer=payer, payee=payee, unit=unit, cents=cents)
    build.trouble(kind, kind, move.key)
