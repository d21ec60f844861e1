"""Challenges: used once, bound to their participant, over at their very moment."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from settlement.chain.port import Address
from settlement.clock import counted_ids
from settlement.errors import Invalid, NotFound
from settlement.participants import WalletRefused, proofs, registry
from settlement.participants.proofs import (
    ChallengeOver,
    ChallengesOpen,
)
from settlement.participants.wallets import add_wallet
from settlement.store import reading, transaction
from tests.participants.files import ADA, NOW, a_trader
from tests.participants.proving import HOLDER, SOON, count, issued, judged, payload


def test_a_challenge_is_used_once_by_whoever_is_first(engine: Engine, party: str) -> None:
    with transaction(engine) as session:
        asked = issued(session, party)
    good = judged(asked, "eip191", HOLDER.sign(payload(asked, "eip191")))
    with transaction(engine) as session:
        proofs.use(session, good, by=ADA.hand, now=NOW)

    with pytest.raises(ChallengeOver, match="used already"), transaction(engine) as session:
        proofs.use(session, good, by="per_ben", now=NOW)
    with pytest.raises(ChallengeOver, match="used already"), reading(engine) as session:
        again = proofs.challenge(session, party, asked.id)
        judged(again, "eip191", HOLDER.sign(payload(asked, "eip191")))

    assert count(engine, "wallet_proof") == 1


@pytest.mark.parametrize(
    ("after", "is_over"),
    [(SOON - timedelta(microseconds=1), False), (SOON, True), (SOON * 2, True)],
)
def test_a_challenge_ends_at_its_very_moment(
    engine: Engine, party: str, after: timedelta, is_over: bool
) -> None:
    with transaction(engine) as session:
        asked = issued(session, party)
    signature = HOLDER.sign(payload(asked, "eip191"))
    good = judged(asked, "eip191", signature)

    if not is_over:
        judged(asked, "eip191", signature, now=NOW + after)
        with transaction(engine) as session:
            proofs.use(session, good, by=ADA.hand, now=NOW + after)
        return
    with pytest.raises(ChallengeOver, match="expired"):
        judged(asked, "eip191", signature, now=NOW + after)
    with pytest.raises(ChallengeOver, match="expired"), transaction(engine) as session:
        proofs.use(session, good, by=ADA.hand, now=NOW + after)
    assert count(engine, "wallet_proof") == 0


def test_an_address_that_became_anothers_meanwhile_is_not_proved(
    engine: Engine, party: str
) -> None:
    with transaction(engine) as session:
        asked = issued(session, party)
    good = judged(asked, "eip191", HOLDER.sign(payload(asked, "eip191")))
    with transaction(engine) as session:
        other = registry.apply(
            session, a_trader(tax_id="TR-78"), actor=ADA.hand, ids=counted_ids(700), now=NOW
        )
        add_wallet(session, other, HOLDER.address, now=NOW)

    with pytest.raises(WalletRefused), transaction(engine) as session:
        proofs.use(session, good, by=ADA.hand, now=NOW)
    assert count(engine, "wallet_proof") == 0


def test_a_challenge_is_its_participants_alone(engine: Engine, party: str) -> None:
    with transaction(engine) as session:
        asked = issued(session, party)

    with pytest.raises(NotFound), reading(engine) as session:
        proofs.challenge(session, "par_other", asked.id)


@pytest.mark.parametrize(
    ("field", "kind", "provider"),
    [
        ("kind", "cold", None),
        ("provider", "custodial", None),
        ("provider", "custodial", " "),
        ("provider", "self_hosted", "Vault Ltd"),
    ],
)
def test_a_challenge_is_refused_by_its_field(
    engine: Engine, party: str, field: str, kind: str, provider: str | None
) -> None:
    with pytest.raises(Invalid) as refusal, transaction(engine) as session:
        issued(session, party, kind=kind, provider=provider)

    assert refusal.value.field == field


def test_nobody_proves_an_address_that_money_cannot_go_to(engine: Engine, party: str) -> None:
    with reading(engine) as session:
        row = session.execute(
            text("SELECT (SELECT rail FROM deployment), (SELECT MIN(address) FROM wallet)")
        ).one()

    for taken in row:
        with pytest.raises(WalletRefused), transaction(engine) as session:
            issued(session, party, address=Address(taken))


def test_only_so_many_challenges_are_open_at_a_time(engine: Engine, party: str) -> None:
    with transaction(engine) as session:
        for place in range(proofs.OPEN_MAX):
            issued(session, party, start=10 + place)

        with pytest.raises(ChallengesOpen):
            issued(session, party, start=99)

        issued(session, party, start=99, now=NOW + SOON)  # The others have expired.
