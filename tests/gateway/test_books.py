"""Books, parties, events and mandates at the doors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from gateway.api import books, break_shapes, events, mandates, parties
from settlement.chain import mandate_abi
from settlement.chain.port import Address, SendAnswer, SendOutcome
from settlement.chain.signing import KeyPair, sign_eip1559
from settlement.participants import add_wallet
from settlement.store import transaction
from tests.gateway.builders import Door, a_door, a_json_invoice
from tests.invoices.builders import NOW, RAIL

BUYERS_WALLET = "0x00000000000000000000000000000000000000C1"
GRANT = (
    f"/v1/mandates/grant?wallet={BUYERS_WALLET}&token_symbol=TEUR&cap_per_payment=50.5"
    "&cap_per_day=100&expires_at=2027-01-01T00:00:00Z"
)


@pytest.fixture
def busy(door: Door) -> Door:
    """A gateway with one accepted invoice."""
    invoice = door.post("/v1/invoices", a_json_invoice(), "exporter").json()["id"]
    door.post(f"/v1/invoices/{invoice}/accept", {}, "importer")
    return door


def test_accounts_show_their_balances_in_their_units(busy: Door) -> None:
    page = busy.get("/v1/accounts").json()

    books.AccountList.model_validate(page, strict=True)
    posted = {each["code"]: each["posted"] for each in page["data"]}
    assert posted[f"receivable:{busy.companies.seller}:EUR"] == "1190.00"
    assert posted[f"payable:{busy.companies.buyer}:EUR"] == "-1190.00"
    first = busy.get("/v1/accounts?limit=1").json()
    rest = busy.get(f"/v1/accounts?starting_after={first['data'][0]['code']}").json()
    assert first["data"] + rest["data"] == page["data"]
    past = busy.get("/v1/accounts?at_block=1").json()["data"]
    assert {each["posted"] for each in past} == {"0.00"}


def test_the_journal_shows_entries_with_their_lines_and_hashes(busy: Door) -> None:
    page = busy.get("/v1/journal?kind=accept").json()

    books.JournalList.model_validate(page, strict=True)
    (entry,) = page["data"]
    assert entry["prev_hash"] == "0" * 64
    assert sorted(line["amount"] for line in entry["lines"]) == ["-1190.00"] * 2 + ["1190.00"] * 2
    assert busy.get("/v1/journal?kind=payment").json()["data"] == []


def test_breaks_are_an_empty_list_while_all_agrees(busy: Door) -> None:
    for query in ("", "?is_open=true", "?is_open=false", "?kind=amount"):
        page = busy.get(f"/v1/breaks{query}").json()
        break_shapes.BreakList.model_validate(page, strict=True)
        assert page["data"] == []


def test_without_a_chain_the_tie_out_says_so(busy: Door) -> None:
    answer = busy.get("/v1/tie-out")

    assert (answer.status_code, answer.json()["title"]) == (503, "Chain unreachable")


def test_before_the_first_final_block_the_tie_out_has_no_lines(
    engine: Engine, tmp_path: Path
) -> None:
    with a_door(engine, tmp_path, chain=ARelay()) as door:
        shown = door.get("/v1/tie-out").json()

    books.TieOut.model_validate(shown, strict=True)
    assert (shown["block_number"], shown["data"]) == (None, [])


def test_events_are_read_in_order_from_where_one_stopped(busy: Door) -> None:
    page = busy.get("/v1/events").json()
    events.EventList.model_validate(page, strict=True)
    kinds = [each["kind"] for each in page["data"]]
    assert kinds[-2:] == ["invoice.issued", "invoice.accepted"]

    rest = busy.get(f"/v1/events?starting_after={page['data'][-2]['seq']}").json()["data"]

    assert [each["kind"] for each in rest] == ["invoice.accepted"]
    of_stranger = busy.get("/v1/events", "stranger").json()["data"]
    assert {each["aggregate_id"] for each in of_stranger} == {busy.companies.stranger}


def test_participants_and_tokens_are_listed(busy: Door) -> None:
    page = busy.get("/v1/participants?limit=2").json()
    rest = busy.get(f"/v1/participants?starting_after={page['data'][-1]['id']}").json()
    tokens = busy.get("/v1/tokens", "exporter").json()

    parties.ParticipantList.model_validate(page, strict=True)
    parties.TokenList.model_validate(tokens, strict=True)
    assert page["has_more"] and not rest["has_more"] and len(rest["data"]) == 1
    own = busy.get("/v1/participants", "importer").json()["data"]
    assert [each["id"] for each in own] == [busy.companies.buyer]
    assert own[0]["wallets"] == [BUYERS_WALLET]
    assert len(tokens["data"]) == 5


def test_a_debtor_sees_what_to_sign(door: Door) -> None:
    shown = door.get(GRANT, "importer").json()
    revocation = door.get(
        f"/v1/mandates/revocation?wallet={BUYERS_WALLET}&token_symbol=TEUR", "importer"
    ).json()

    mandates.Instruction.model_validate(shown, strict=True)
    assert [each["fields"]["to"] for each in shown["to_sign"]] == ["0x" + "0" * 38 + "a1", RAIL]
    assert len(revocation["to_sign"]) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (("cap_per_payment=50.5", "cap_per_payment=1e3"), 422),
        (("cap_per_payment=50.5", "cap_per_payment=101"), 422),
        (("cap_per_payment=50.5", "cap_per_payment=0.0000001"), 422),
        (("2027-01-01T00:00:00Z", "2027-01-01T00:00:00"), 422),
        (("2027-01-01T00:00:00Z", "2020-01-01T00:00:00Z"), 422),
        (("TEUR", "TXXX"), 404),
        (("00C1", "00c0"), 404),
        (("00C1", "00Ca"), 422),
        ((BUYERS_WALLET, "0x" + "0" * 40), 422),
    ],
)
def test_a_mandate_that_the_rail_would_refuse_is_refused_before(
    door: Door, change: tuple[str, str], status: int
) -> None:
    assert door.get(GRANT.replace(*change), "importer").status_code == status


class ARelay:
    """A node that takes whatever it is handed."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, raw_transactions: Sequence[bytes]) -> list[SendAnswer]:
        self.sent += raw_transactions
        return [SendAnswer(SendOutcome.ACCEPTED) for _ in raw_transactions]


def _signed(pair: KeyPair, to: str, data: bytes) -> str:
    raw, _ = sign_eip1559(
        pair.key,
        chain_id=31337,
        nonce=0,
        to=Address(to),
        data=data,
        gas_limit=120_000,
        max_fee_wei=10**9,
        max_priority_fee_wei=1,
    )
    return "0x" + raw.hex()


def test_signed_mandate_calls_are_relayed_and_nothing_else(engine: Engine, tmp_path: Path) -> None:
    node: Any = ARelay()
    pair = KeyPair.of(b"\x01" * 32)
    token = "0x" + "0" * 38 + "a1"
    revoke = mandate_abi.revoke_mandate_calldata(Address(token))
    good = {"signed": [_signed(pair, RAIL, revoke)]}
    theft = {"signed": [_signed(pair, token, bytes.fromhex("a9059cbb") + b"\x01" * 64)]}

    with a_door(engine, tmp_path, chain=node) as door:
        unknown = door.post("/v1/mandates", good, "importer")
        with transaction(engine) as session:
            add_wallet(session, door.companies.buyer, pair.address, now=NOW)
        relayed = door.post("/v1/mandates", good, "importer", key="relay")
        again = door.post("/v1/mandates", good, "importer", key="relay")
        refused = door.post("/v1/mandates", theft, "importer")
        foreign = door.post("/v1/mandates", good, "stranger-importer")

    mandates.RelayAnswer.model_validate(relayed.json(), strict=True)
    assert (relayed.status_code, again.content) == (202, relayed.content)
    assert [each.status_code for each in (unknown, refused, foreign)] == [403, 422, 403]
    assert set(node.sent) == {bytes.fromhex(good["signed"][0][2:])}
