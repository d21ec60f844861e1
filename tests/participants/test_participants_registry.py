"""Who may take part, with what identifiers and addresses, and what is refused."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from settlement.chain.memory import MemoryChain
from settlement.clock import counted_ids
from settlement.errors import IllegalMove, Invalid, NotFound
from settlement.participants import (
    AddressInvalid,
    NewParticipant,
    ParticipantExists,
    WalletRefused,
    checksummed,
    close,
    parse_address,
    participant,
    participants,
    register,
    reinstate,
    suspend,
    wallet_owner,
    wallets,
)
from settlement.store import reading, transaction
from tests.watcher.scene import DEBTOR, LEIS, NOW, OPERATOR, put_rail, record

WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
"""From EIP-55's own examples, as are those below."""
EIP_55 = (
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    WALLET,
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
)


def a_company(**changes: Any) -> NewParticipant:
    fields: dict[str, Any] = {
        "lei": LEIS[0],
        "name": "Nordlicht Pumpen GmbH",
        "country": "DE",
        "town": "Bremen",
        "vat_id": "DE136695976",
        "wallets": (WALLET,),
    }
    return NewParticipant(**{**fields, **changes})


def registered(engine: Engine, *companies: NewParticipant) -> list[str]:
    with transaction(engine) as session:
        return register(session, companies or [a_company()], ids=counted_ids(100), now=NOW)


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one())


def test_a_company_is_registered_with_its_wallet_and_the_outside_is_told(engine: Engine) -> None:
    (key,) = registered(engine)

    with reading(engine) as session:
        found = participant(session, key)
        owner = wallet_owner(session, WALLET.lower())
        listed = wallets(session, key)
    assert (found.lei, found.country, found.town, found.state) == (
        LEIS[0],
        "DE",
        "Bremen",
        "active",
    )
    assert owner == key and [each.address for each in listed] == [WALLET.lower()]
    with engine.connect() as connection:
        told = connection.execute(text("SELECT kind, aggregate_id FROM outbox")).all()
    assert [tuple(row) for row in told] == [("participant.registered", key)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lei", LEIS[0][:-1] + "6"),
        ("lei", LEIS[0].lower()),
        ("lei", ""),
        ("country", "XX"),
        ("country", "Germany"),
        ("vat_id", "DE136695975"),
        ("name", " "),
        ("name", "a" * 141),
        ("name", "Nord\u202elicht"),
        ("town", ""),
        ("street", "x" * 141),
    ],
)
def test_a_field_that_its_standard_does_not_know_is_refused_by_name(
    sqlite_engine: Engine, field: str, value: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        registered(sqlite_engine, a_company(**{field: value}))

    assert refusal.value.field == field
    assert count(sqlite_engine, "participant") == 0


def test_a_list_of_companies_is_registered_whole_or_not_at_all(engine: Engine) -> None:
    with pytest.raises(Invalid) as refusal:
        registered(engine, a_company(), a_company(lei=LEIS[1], wallets=(), town=""))

    assert refusal.value.field == "1/town"
    assert count(engine, "participant") == count(engine, "wallet") == 0


def test_one_legal_entity_is_one_participant(engine: Engine) -> None:
    (key,) = registered(engine)

    with pytest.raises(ParticipantExists) as refusal:
        registered(engine, a_company(name="Another name", wallets=()))

    assert refusal.value.participant_id == key
    assert count(engine, "participant") == 1


@pytest.mark.parametrize("address", EIP_55)
def test_an_address_is_read_with_its_checksum_or_in_one_case(address: str) -> None:
    for text_of_it in (address, address.lower(), "0x" + address[2:].upper()):
        assert parse_address(text_of_it) == address.lower()
    assert checksummed(address.lower()) == address


@pytest.mark.parametrize(
    "address",
    [
        WALLET.replace("aA", "Aa"),
        WALLET[:-1] + "D",
        "0x" + "0" * 40,
        WALLET[2:],
        WALLET[:-1],
        WALLET + "0",
        "0X" + WALLET[2:],
        WALLET.lower() + "\n",
        "0x" + "\u0661" * 40,
        7,
        None,
    ],
)
def test_what_is_no_address_is_refused(address: object) -> None:
    with pytest.raises(AddressInvalid):
        parse_address(address)


def test_an_address_that_money_cannot_go_to_is_no_wallet(engine: Engine) -> None:
    deployment = put_rail(MemoryChain())
    record(engine, deployment)
    before = count(engine, "wallet")

    for address in (deployment.rail, deployment.token("TEUR").address, OPERATOR.address):
        with pytest.raises(WalletRefused):
            registered(engine, a_company(lei="213800WAVVOPS85N2205", wallets=(address,)))

    assert count(engine, "wallet") == before


def test_a_wallet_has_one_owner(engine: Engine) -> None:
    deployment = put_rail(MemoryChain())
    record(engine, deployment)
    company = a_company(lei="213800WAVVOPS85N2205", wallets=(DEBTOR.address,))

    with pytest.raises(WalletRefused, match="of another participant"):
        registered(engine, company)

    assert count(engine, "participant") == 3


def test_a_participant_is_suspended_reinstated_and_closed_by_the_table(engine: Engine) -> None:
    (key,) = registered(engine)
    seen = []

    for move in (suspend, reinstate, suspend, close):
        with transaction(engine) as session:
            move(session, key, "asked by compliance", NOW)
            seen.append(participant(session, key).state)

    assert seen == ["suspended", "active", "suspended", "closed"]
    for move in (suspend, reinstate, close):
        with pytest.raises(IllegalMove), transaction(engine) as session:
            move(session, key, "once more", NOW)
    with engine.connect() as connection:
        told = connection.execute(text("SELECT kind FROM outbox ORDER BY seq")).scalars()
        assert [kind.partition(".")[2] for kind in told] == ["registered", *seen]


def test_an_unknown_participant_is_not_found(engine: Engine) -> None:
    with pytest.raises(NotFound), transaction(engine) as session:
        suspend(session, "par_0", "why not", NOW)


def test_participants_are_found_by_part_of_a_name_or_number_page_by_page(engine: Engine) -> None:
    keys = registered(
        engine,
        a_company(),
        a_company(lei=LEIS[1], name="Al Noor Trading LLC", country="AE", vat_id=None, wallets=()),
        a_company(lei=LEIS[2], name="Noordzee BV", country="NL", vat_id=None, wallets=()),
    )

    with reading(engine) as session:
        by_name = [each.id for each in participants(session, search="noor")]
        by_lei = [each.id for each in participants(session, search=LEIS[1].lower())]
        first = [each.id for each in participants(session, limit=2)]
        rest = [each.id for each in participants(session, after=first[-1], limit=2)]
    assert (by_name, by_lei) == (keys[1:], [keys[1]])
    assert first + rest == keys


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Any:
    from settlement.store import open_engine

    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()
