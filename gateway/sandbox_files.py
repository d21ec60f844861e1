"""The files of a sandbox's companies: owners, documents, accounts and proofs of wallets, made up.

Everything goes the way that it goes at the doors, a second pair of eyes included; only that both
pairs are the sandbox's own. Wallets are proved by signatures of the keys that every anvil knows.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from sqlmodel import Session

from settlement import approvals
from settlement.chain.signing import KeyPair
from settlement.clock import Ids, to_micros
from settlement.participants import accounts, activation, challenges, owners, papers, proofs
from settlement.participants.accounts import NewAccount
from settlement.participants.dossier import Actor
from settlement.participants.identity import NewParticipant
from settlement.participants.owners import NewOwner
from settlement.participants.papers import NewDocument
from settlement.participants.people import SALT_DIGITS
from settlement.participants.proofs import Proving, WalletAsked
from settlement.participants.wallets import reprove

MAKER = Actor("admin", "sandbox-maker")
CHECKER = Actor("approver", "sandbox-checker")

_KINDS = ("registry_extract", "ownership_declaration", "tax_registration")
_PEOPLE = ("Jana Muster", "Omar Example", "Anika Sample", "Lin Specimen", "Noor Placeholder")
_CURRENCIES = {"DE": "EUR", "AE": "AED", "IN": "INR", "CN": "CNY"}
_CLEARING = {"IN": ("INFSC", "TEST0000001"), "CN": ("CNAPS", "102584000001")}
_WHY = "the sandbox's own company, with made-up documents"


def complete(
    session: Session,
    participant_id: str,
    company: NewParticipant,
    pair: KeyPair,
    *,
    ids: Ids,
    now: datetime,
) -> None:
    """Give a company that was just registered all that a participant has to have."""
    digits = _digits_of(str(company.lei))
    person = NewOwner(
        kind="person", share_bp=7_500, name=_PEOPLE[int(digits(2), 16) % len(_PEOPLE)],
        country=company.country, birth_date="1975-05-17",
    )  # fmt: skip
    holding = NewOwner(
        kind="company", share_bp=2_500, name=f"{company.name[:100]} Holding",
        country=company.country,
    )  # fmt: skip
    declared = owners.declare(
        session, participant_id, [person, holding], salts=lambda: digits(SALT_DIGITS),
        ids=ids, now=now,
    )  # fmt: skip
    owners.count_from_now(session, participant_id, declared)
    for kind in _KINDS:
        document = NewDocument(
            kind=kind, number=f"TEST-{digits(8)}", issuer="Sandbox registry",
            issued_on=now.date().isoformat(), sha256=digits(64),
        )  # fmt: skip
        papers.offer(
            session, participant_id, document, by=MAKER.hand, salt=digits(SALT_DIGITS),
            ids=ids, now=now,
        )  # fmt: skip
    account = _account(company.country, digits)
    if account is not None:
        checked = accounts.checked(account)
        at = to_micros(now)
        accounts.put(session, participant_id, checked, usable_from=at, ids=ids, now=now)
    _prove(session, participant_id, pair, nonce=digits(32), ids=ids, now=now)
    _activate(session, participant_id, ids=ids, now=now)


def _prove(
    session: Session, participant_id: str, pair: KeyPair, *, nonce: str, ids: Ids, now: datetime
) -> None:
    """Sign what the wallet's holder would sign, with its key."""
    asked = proofs.issue(
        session, participant_id, WalletAsked(pair.address, "self_hosted", None), nonce=nonce,
        proving=Proving("localhost", timedelta(minutes=15)), by=MAKER.hand, ids=ids, now=now,
    )  # fmt: skip
    signature = pair.sign(challenges.personal_payload(challenges.message(asked)))
    judged = proofs.judge(asked, "eip191", signature, chain=None, now=now)
    reprove(session, participant_id, proofs.use(session, judged, by=MAKER.hand, now=now))


def _activate(session: Session, participant_id: str, *, ids: Ids, now: datetime) -> None:
    """Let the second hand accept the documents; the company is active already."""
    asked = activation.ask(session, participant_id, by=MAKER, reason=_WHY, ids=ids, now=now)
    approved = approvals.decide(
        session, asked.id, verdict="approve", seen_hash=asked.what_hash, checker=CHECKER.hand,
        role=CHECKER.role, reason=_WHY, now=now,
    )  # fmt: skip
    activation.apply_approved(session, approved, now)


def _account(country: str, digits: Callable[[int], str]) -> NewAccount | None:
    """Return an account of the country's kind with check digits that are right."""
    currency = _CURRENCIES.get(country)
    if currency is None:
        return None
    number = str(int(digits(15), 16)).rjust(18, "0")[:18]
    if country in _CLEARING:
        system, code = _CLEARING[country]
        return NewAccount(
            currency, account_number=number, clearing_system=system, clearing_code=code
        )
    inner = number if country == "DE" else "033" + number[:16]
    letters = "".join(str(int(letter, 36)) for letter in country)
    check = 98 - int(f"{inner}{letters}00") % 97
    return NewAccount(currency, iban=f"{country}{check:02d}{inner}", bic=f"TEST{country}22")


def _digits_of(seed: str) -> Callable[[int], str]:
    """Return what gives hexadecimal digits, others with each call, the same in every run."""
    turns = iter(range(1_000))
    return lambda count: sha256(f"{seed} {next(turns)}".encode()).hexdigest()[:count]
