"""One rules engine for all tests of documents: opening the rulebook takes a second."""

from collections.abc import Iterator

import pytest

from settlement.documents.rules_engine import RulesEngine


@pytest.fixture(scope="session")
def rules() -> Iterator[RulesEngine]:
    with RulesEngine() as engine:
        yield engine
