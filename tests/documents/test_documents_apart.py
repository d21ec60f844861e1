"""The demo's documents are the same whether made here or in a process that ends."""

from datetime import date

from gateway.demo.apart import documents_apart
from gateway.demo.documents import documents


def test_documents_made_apart_are_those_that_are_made_here() -> None:
    day = date(2026, 11, 2)

    apart = documents_apart(24, 7, day=day, scale_max=9)

    assert apart == documents(24, 7, day=day, scale_max=9)
    assert {each.kind for each in apart} == {"ubl", "cii", "facturx", "json"}
