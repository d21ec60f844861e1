"""The routes of participants' acts and files, with an example of each."""

from __future__ import annotations

from typing import Any

from gateway.api import participant_acts as acts
from gateway.api import participant_bodies as bodies
from gateway.api import participant_changes as changing
from gateway.api import participant_files as files
from gateway.api import participant_shapes as shapes
from gateway.api import parties, wallet_proofs
from gateway.api.operation import CommandRoute, Plan, QueryRoute, body_of
from gateway.json_body import Body

_ID = "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f"
_ONE = "/v1/participants/{participant_id}"
_WALLET = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
_SHA = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
_WHY = {"reason": "the extract of 2026-11-02 agrees with what was declared"}
_SPEAKS = {
    "object": "wallet_challenge",
    "id": "wch_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "participant_id": _ID,
    "address": _WALLET,
    "chain_id": 31337,
    "message": f"rail.example wants you to sign in with your Ethereum account:\n{_WALLET}\n…",
    "typed_data": {"primaryType": "WalletProof"},
    "expires_at": "2026-11-04T07:45:00Z",
}
_CHANGE: dict[str, Any] = {
    "object": "participant_change",
    "id": "pch_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "participant_id": _ID,
    "kind": "wallet",
    "subject": _WALLET.lower(),
    "terms": {"kind": "self_hosted", "provider": None, "proved_by": "signature"},
    "state": "pending",
    "asked_by": "per_019a8f2e5a0b7c1d8e2f3a4b5c6d7e80",
    "asked_at": "2026-11-04T07:30:00Z",
    "approval_id": "apr_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "decided_by": None,
    "decided_at": None,
    "usable_from": None,
    "reason": None,
}
_ASKED: dict[str, Any] = {
    "object": "activation_request",
    "approval_id": "apr_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "participant_id": _ID,
    "move": "activate",
    "what_hash": _SHA,
    "approver_roles": ["approver", "compliance"],
    "needed": 1,
    "state": "open",
    "expires_at": "2026-11-18T07:30:00Z",
    "terms": {"move": "activate", "review_on": "2027-11-04", "dossier_sha256": _SHA},
}
_OFFERED = {
    "object": "participant_document",
    "id": "doc_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "participant_id": _ID,
    "state": "offered",
}
_DOCUMENT: dict[str, Any] = {
    "kind": "registry_extract",
    "number": "HRB 1234",
    "issuer": "Amtsgericht Esslingen",
    "issued_on": "2026-11-02",
    "sha256": _SHA,
}
_OWNER: dict[str, Any] = {
    "kind": "person",
    "share_bp": 10000,
    "name": "Jana Muster",
    "country": "DE",
    "birth_date": "1971-03-04",
}
_APPLY = {
    "legal_form": "legal_entity",
    "name": "Hartwig Maschinenbau GmbH",
    "lei": "529900HWMB7K2Q4T9D25",
    "vat_id": "DE129274202",
    "country": "DE",
    "town": "Esslingen",
    "post_code": "73730",
    "street": "Industriestraße",
    "building_number": "14",
}
_FILE: dict[str, Any] = {
    "object": "participant_file",
    "participant_id": _ID,
    "state": "active",
    "known_by": "documents",
    "kyb_valid_until": "2027-09-30T00:00:00Z",
    "review_on": "2027-11-04",
    "lacks": [],
    "aliases": ["Hartwig Machines"],
    "owners": [
        {
            "kind": "person",
            "role": "owner",
            "share_bp": 10000,
            "name": "Jana Muster",
            "country": "DE",
            "participant_id": None,
            "person_id": "nat_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
        }
    ],
    "persons": [],
    "documents": [],
    "wallets": [],
    "accounts": [],
    "changes": [_CHANGE],
}
_EVENT: dict[str, Any] = {
    "move": "activate",
    "state": "active",
    "actor": "approval:per_019a8f2e5a0b7c1d8e2f3a4b5c6d7e80",
    "reason": "the file is complete",
    "detail": {"dossier_sha256": _SHA},
    "at": "2026-11-04T07:30:00Z",
}


def _command(
    path: str,
    plan: Plan,
    summary: str,
    body: type[Body],
    example: dict[str, Any],
    answer: Any,
    shown: Any,
    status: int = 200,
) -> CommandRoute:
    return CommandRoute(
        path, plan, summary, body_of(body, {"example": example}), answer, shown, status, "parties"
    )


def _change(path: str, plan: Plan, summary: str, body: type[Body], example: Any) -> CommandRoute:
    """A change: 200 where it is done at once, 202 where a second person is asked."""
    wanted = {**example, **_WHY}
    return _command(
        f"{_ONE}/{path}", plan, summary, body, wanted, shapes.ChangeAnswer, _CHANGE, 202
    )


COMMANDS = (
    _command("/v1/participants", acts.plan_apply, "Register somebody as applied",
             bodies.ApplyBody, _APPLY, parties.ParticipantAnswer, parties.EXAMPLE, 201),
    _command(f"{_ONE}/activate-request", acts.plan_ask_activation,
             "Ask a second person to activate or renew",
             bodies.ActivationBody, _WHY, shapes.ActivationAsked, _ASKED, 202),
    _command(f"{_ONE}/reinstate", acts.plan_reinstate, "Ask a second person to end a suspension",
             bodies.ActivationBody, _WHY, shapes.ActivationAsked, _ASKED, 202),
    _command(f"{_ONE}/suspend", acts.plan_suspend, "Suspend a participant at once",
             bodies.ReasonBody, _WHY, parties.ParticipantAnswer, parties.EXAMPLE),
    _command(f"{_ONE}/close", acts.plan_close, "Close a participation for good",
             bodies.ReasonBody, _WHY, parties.ParticipantAnswer, parties.EXAMPLE),
    _command(f"{_ONE}/documents", acts.plan_offer, "Offer a document",
             bodies.DocumentBody, _DOCUMENT, shapes.OfferedAnswer, _OFFERED, 201),
    _command(f"{_ONE}/documents/{{document_id}}/withdraw", acts.plan_withdraw_document,
             "Take back a document that waits",
             bodies.ReasonBody, _WHY, shapes.OfferedAnswer, {**_OFFERED, "state": "withdrawn"}),
    _change("owners", changing.plan_owners, "Declare owners and controllers",
            bodies.OwnersBody, {"owners": [_OWNER]}),
    _change("bank-accounts", changing.plan_account, "Add a bank account",
            bodies.AccountBody,
            {"currency": "EUR", "iban": "DE92611500200100417826", "bic": "ESSLDE66XXX"}),
    _change("bank-accounts/{account_id}/remove", changing.plan_end_account,
            "Give up a bank account", bodies.ReasonBody, {}),
    _command(f"{_ONE}/wallets/challenge", wallet_proofs.plan_challenge,
             "Ask what to sign to prove a wallet",
             bodies.ChallengeBody, {"address": _WALLET, "kind": "self_hosted"},
             shapes.ChallengeAnswer, _SPEAKS, 201),
    _change("wallets/proof", wallet_proofs.plan_proof, "Prove a wallet by a signature",
            bodies.ProofBody,
            {"challenge_id": _SPEAKS["id"], "method": "eip191", "signature": "0x" + "1b" * 65}),
    _change("wallets/remove", wallet_proofs.plan_remove, "Give up a wallet",
            bodies.WalletRemovalBody, {"address": _WALLET}),
    _change("name", changing.plan_name, "Change the name",
            bodies.NameBody, {"name": "Hartwig Maschinen SE"}),
    _change("address", changing.plan_address, "Change the address",
            bodies.AddressBody, {"country": "DE", "town": "Stuttgart", "post_code": "70173"}),
    _change("aliases", changing.plan_aliases, "Declare other names",
            bodies.AliasesBody, {"aliases": [{"name": "Hartwig Machines", "kind": "trading"}]}),
    _command(f"{_ONE}/changes/{{change_id}}/withdraw", acts.plan_withdraw_change,
             "Take a change back before money follows it",
             bodies.ReasonBody, _WHY, shapes.ChangeAnswer, {**_CHANGE, "state": "withdrawn"}),
    _command(f"{_ONE}/persons/{{person_id}}/erase", acts.plan_erase,
             "Erase a person's fields",
             bodies.ReasonBody, _WHY, shapes.ErasedAnswer,
             {"object": "erasure", "participant_id": _ID,
              "person_id": "nat_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f"}),
)  # fmt: skip
QUERIES = (
    QueryRoute(
        "/v1/participant-requirements",
        files.get_requirements,
        "Read which documents are needed",
        shapes.RequirementsAnswer,
        {
            "object": "requirements",
            "version": "2026-11-01.1",
            "review_days": 365,
            "kinds": {"registry_extract": {"title": "Extract of the commercial register"}},
            "required": {"individual": ["identity_document", "proof_of_address"]},
        },
        tag="parties",
    ),
    QueryRoute(
        f"{_ONE}/file",
        files.get_file,
        "Read all that is known of a participant",
        shapes.ParticipantFile,
        _FILE,
        tag="parties",
    ),
    QueryRoute(
        f"{_ONE}/changes",
        files.list_changes,
        "List a participant's changes",
        shapes.ChangeList,
        {"object": "list", "has_more": False, "data": [_CHANGE]},
        tag="parties",
    ),
    QueryRoute(
        f"{_ONE}/events",
        files.list_events,
        "List what happened to a participant",
        shapes.EventList,
        {"object": "list", "has_more": False, "data": [_EVENT]},
        tag="parties",
    ),
)
