"""The three companies of a founded rail, in the order of their wallets."""

from settlement.participants import NewParticipant
from tests.invoices.builders import an_lei

NAMES = ("seller", "buyer", "stranger")
COMPANIES = [
    NewParticipant(lei=an_lei(f"5299{side}"), name=name, country=country, town=town)
    for side, name, country, town in (
        ("seller", "Nordlicht Pumpen GmbH", "DE", "Hamburg"),
        ("buyer", "Al Noor Trading LLC", "AE", "Dubai"),
        ("stranger", "Zhejiang Tools Co", "CN", "Hangzhou"),
    )
]
