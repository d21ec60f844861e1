"""Names made ready when a gateway starts."""

from sqlalchemy import create_engine

from gateway.names_ahead import NamesAhead
from settlement.compliance.screening.look_up import keys
from settlement.compliance.screening.names import NameKind, prepared
from tests.builders.three_companies import COMPANIES
from tests.gateway.builders import Door, a_json_invoice


def test_whoever_has_open_payments_is_spelled_ahead(door: Door) -> None:
    invoice = door.post("/v1/invoices", a_json_invoice(), "exporter").json()["id"]
    door.post(f"/v1/invoices/{invoice}/accept", {}, "importer")
    door.post("/v1/settlements", {"invoice_id": invoice}, "importer")
    prepared.cache_clear()
    keys.cache_clear()
    ahead = NamesAhead(door.engine)
    ahead.start()
    ahead.wait()
    names, words = prepared.cache_info().misses, keys.cache_info().misses

    for company in COMPANIES[:2]:
        for word in prepared(company.name, NameKind.ORGANIZATION).words:
            keys(word)

    assert names == 2 and words
    assert (prepared.cache_info().misses, keys.cache_info().misses) == (names, words)
    ahead.stop()


def test_a_database_without_tables_keeps_no_gateway_from_starting() -> None:
    ahead = NamesAhead(create_engine("sqlite://"))

    ahead.start()
    ahead.wait()
    ahead.stop()
