"""Which role may use which route: a table, and nothing else. What is not in it is nobody's.

What a role may see of what a route shows is decided by `auth.Caller.party`.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.auth import Role
from gateway.refusals import RoleNotAllowed

EVERYBODY = frozenset(Role)
STAFF = frozenset({Role.TREASURY, Role.APPROVER, Role.OVERSEER, Role.ADMIN})
SELLERS = frozenset({Role.EXPORTER})
BUYERS = frozenset({Role.IMPORTER})
PAYERS = frozenset({Role.IMPORTER, Role.TREASURY})
TREASURY = frozenset({Role.TREASURY})
APPROVERS = frozenset({Role.APPROVER})

ROLES: Mapping[str, frozenset[Role]] = {
    "POST /v1/invoices": SELLERS,
    "POST /v1/invoices/batch": SELLERS,
    "GET /v1/invoices": EVERYBODY,
    "GET /v1/invoices/{invoice_id}": EVERYBODY,
    "GET /v1/invoices/{invoice_id}/document": EVERYBODY,
    "GET /v1/invoices/{invoice_id}/proof": EVERYBODY,
    "POST /v1/invoices/accept": BUYERS,
    "POST /v1/invoices/{invoice_id}/accept": BUYERS,
    "POST /v1/invoices/{invoice_id}/query": BUYERS,
    "POST /v1/invoices/{invoice_id}/reject": BUYERS,
    "POST /v1/invoices/{invoice_id}/cancel": SELLERS,
    "POST /v1/settlements": PAYERS,
    "GET /v1/settlements": EVERYBODY,
    "GET /v1/settlements/{settlement_id}": EVERYBODY,
    "GET /v1/settlements/{settlement_id}/advice": EVERYBODY,
    "POST /v1/settlements/{settlement_id}/hold": PAYERS,
    "POST /v1/settlements/{settlement_id}/cancel": PAYERS,
    # A hold may be the policy's: only the treasury lifts one, or pays again what was rejected.
    "POST /v1/settlements/{settlement_id}/release": TREASURY,
    "POST /v1/settlements/{settlement_id}/retry": TREASURY,
    "GET /v1/mandates": STAFF | BUYERS,
    "GET /v1/mandates/grant": PAYERS,
    "GET /v1/mandates/revocation": PAYERS,
    "POST /v1/mandates": BUYERS,
    "GET /v1/participants": EVERYBODY,
    "GET /v1/participants/{participant_id}": EVERYBODY,
    "GET /v1/tokens": EVERYBODY,
    "GET /v1/accounts": EVERYBODY,
    "GET /v1/statements/{account}": EVERYBODY,
    "GET /v1/account-statement": EVERYBODY,
    "GET /v1/journal": STAFF,
    "GET /v1/periods": STAFF | APPROVERS,
    "GET /v1/periods/{period_id}": STAFF | APPROVERS,
    "POST /v1/periods/close": TREASURY,
    # Another key than the one that asked: the ledger holds it, and the database.
    "POST /v1/periods/approve": TREASURY | APPROVERS,
    "GET /v1/monitors": STAFF,
    "POST /v1/monitors": TREASURY,
    "POST /v1/monitors/{monitor_id}/retire": TREASURY,
    "GET /v1/breaks": STAFF,
    "GET /v1/breaks/aging": STAFF,
    "GET /v1/breaks/{break_id}": STAFF,
    "POST /v1/breaks/bulk": TREASURY | APPROVERS,
    "POST /v1/breaks/{break_id}/assign": TREASURY,
    "POST /v1/breaks/{break_id}/comment": TREASURY | APPROVERS,
    "POST /v1/breaks/{break_id}/match": TREASURY,
    "POST /v1/breaks/{break_id}/unmatch": TREASURY,
    "POST /v1/breaks/{break_id}/split": TREASURY,
    "POST /v1/breaks/{break_id}/attribute": TREASURY,
    "POST /v1/breaks/{break_id}/return": TREASURY,
    "POST /v1/breaks/{break_id}/undo": TREASURY,
    "POST /v1/breaks/{break_id}/close": TREASURY,
    "POST /v1/breaks/{break_id}/reopen": TREASURY,
    # Whoever proposes never decides: the database refuses it too.
    "POST /v1/breaks/{break_id}/propose": TREASURY,
    "POST /v1/breaks/{break_id}/withdraw": TREASURY,
    "POST /v1/breaks/{break_id}/approve": APPROVERS,
    "POST /v1/breaks/{break_id}/refuse": APPROVERS,
    "GET /v1/reconciliation/records": STAFF,
    "GET /v1/reconciliation/matches": STAFF,
    "GET /v1/reconciliation/runs": STAFF,
    "GET /v1/reconciliation/rules": STAFF,
    "GET /v1/reconciliation/expected": STAFF,
    "POST /v1/reconciliation/expected": TREASURY,
    "POST /v1/reconciliation/expected/{expected_id}/archive": TREASURY,
    "POST /v1/reconciliation/run": TREASURY,
    "POST /v1/reconciliation/matches": TREASURY,
    "POST /v1/reconciliation/matches/{match_id}/unmatch": TREASURY,
    "POST /v1/reconciliation/records/{record_id}/split": TREASURY,
    "POST /v1/reconciliation/records/{record_id}/join": TREASURY,
    "POST /v1/reconciliation/rules/dry-run": TREASURY | APPROVERS,
    "POST /v1/reconciliation/rules": TREASURY,
    # Another key than the author's: the database refuses it too.
    "POST /v1/reconciliation/rules/approve": TREASURY | APPROVERS,
    "GET /v1/tie-out": STAFF,
    "POST /v1/bank/accounts": TREASURY,
    "POST /v1/bank/accounts/{account_id}/mapping": TREASURY,
    "POST /v1/bank/accounts/{account_id}/statements": TREASURY,
    "POST /v1/bank/statements": TREASURY,
    "GET /v1/bank/accounts": STAFF,
    "GET /v1/bank/accounts/{account_id}/mapping": STAFF,
    "GET /v1/bank/statements": STAFF,
    "GET /v1/bank/entries": STAFF,
    "GET /v1/bank/gaps": STAFF,
    "GET /v1/events": EVERYBODY,
    "GET /v1/trace/{key:path}": EVERYBODY,
}


def require(role: Role, route: str) -> None:
    """Return quietly if the role may use the route (method, space, path with its parameters).

    Raises:
        RoleNotAllowed: it may not, or nobody put the route into the table.
    """
    if role not in ROLES.get(route, frozenset()):
        raise RoleNotAllowed(role, route)
