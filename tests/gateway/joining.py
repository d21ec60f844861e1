"""Taking participants on at the doors, for tests."""

from hashlib import sha256
from typing import Any

from settlement.chain.signing import KeyPair
from settlement.participants import challenges
from tests.gateway.builders import Door
from tests.invoices.builders import an_lei

HOLDER = KeyPair.of(b"\x42" * 32)
WHY = {"reason": "as agreed"}
OWNER = {
    "kind": "person",
    "share_bp": 10_000,
    "name": "Ottilie Zwingli",
    "country": "CH",
    "birth_date": "1969-08-01",
}
APPLICATION = {
    "legal_form": "legal_entity",
    "name": "Alpine Tools AG",
    "lei": an_lei("5299alpine"),
    "vat_id": "ATU13585627",
    "country": "AT",
    "town": "Graz",
    "street": "Bahnhofstrasse",
    "building_number": "1",
}


def one(key: str, what: str = "") -> str:
    return f"/v1/participants/{key}{what}"


def applied(door: Door, **changes: Any) -> str:
    answer = door.post("/v1/participants", {**APPLICATION, **changes}, "compliance")
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "applied"
    return str(answer.json()["id"])


def a_document(kind: str, **changes: Any) -> dict[str, Any]:
    digest = sha256(kind.encode()).hexdigest()
    document = {"kind": kind, "number": "1", "issuer": "Amt", "issued_on": "2026-11-01"}
    return {**document, "sha256": digest, **changes}


def completed(door: Door, key: str, *, who: str = "compliance") -> None:
    for kind in ("registry_extract", "ownership_declaration", "tax_registration"):
        answer = door.post(one(key, "/documents"), a_document(kind), who)
        assert answer.status_code == 201, answer.text
    answer = door.post(one(key, "/owners"), {"owners": [OWNER], **WHY}, who)
    assert (answer.status_code, answer.json()["state"]) == (200, "effective"), answer.text


def asked(door: Door, key: str, who: str = "compliance") -> dict[str, Any]:
    answer = door.post(one(key, "/activate-request"), WHY, who)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def approve(door: Door, approval_id: str, who: str = "approver") -> Any:
    seen = door.get(f"/v1/approvals/{approval_id}", who).json()
    body = {"what_hash": seen["what_hash"], "reason": "seen"}
    return door.post(f"/v1/approvals/{approval_id}/approve", body, who)


def proof(door: Door, key: str, who: str, holder: KeyPair = HOLDER) -> Any:
    wanted = {"address": holder.address, "kind": "self_hosted"}
    asked_for = door.post(one(key, "/wallets/challenge"), wanted, who)
    assert asked_for.status_code == 201, asked_for.text
    message = asked_for.json()["message"]
    signature = holder.sign(challenges.personal_payload(message))
    body = {"challenge_id": asked_for.json()["id"], "method": "eip191",
            "signature": "0x" + signature.hex(), **WHY}  # fmt: skip
    return door.post(one(key, "/wallets/proof"), body, who)
