"""Every refusal as an RFC 9457 problem: one table from exception to status, type and title.

The only place that knows HTTP's words for what the rail refuses. Decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field

from gateway import refusals
from gateway.archive import BackupUnreadable, NotSqlite
from gateway.cli.client import ApiRefused, NoApiKey
from gateway.supervisor import AlreadyRunning, PartFailed, PortTaken
from gateway.wiring import RpcUrlMissing
from settlement import approvals, errors
from settlement.access import PersonErased
from settlement.bank import (
    BankAccountExists,
    NoBankMapping,
    OtherBankAccount,
    StatementConflict,
    UnknownBankAccount,
)
from settlement.chain.anvil import AnvilFailed, AnvilMissing, PortInUse
from settlement.chain.keystore import KeyFileExposed, KeyFileLocked, KeyInEnvironment
from settlement.chain.port import NoHeaderEvidence
from settlement.compliance.limits import LimitExceeded
from settlement.compliance.limits.changing import LimitNotActive
from settlement.compliance.lists import ListUnreadable
from settlement.compliance.policy import PackInvalid
from settlement.documents.bank_csv import MappingInvalid
from settlement.documents.errors import (
    DocumentRejected,
    DocumentTooLarge,
    DocumentUnreadable,
    RulesEngineBusy,
    RulesEngineClosed,
    UnknownDocumentType,
)
from settlement.documents.iso20022.errors import MessageInvalid
from settlement.documents.iso20022.reading_model import (
    StatementContradicts,
    StatementInvalid,
    StatementRefused,
    StatementUnreadable,
)
from settlement.invoices import attributions, returns
from settlement.invoices import errors as invoices
from settlement.invoices.amounts import InvoiceOverpaid
from settlement.ledger import exports, periods
from settlement.money import AmountInvalid
from settlement.participants import (
    AddressInvalid,
    NotAMandateCall,
    ParticipantExists,
    WalletRefused,
)
from settlement.proof import NothingPaid, NotProvable
from settlement.reconciliation import engine
from settlement.reconciliation.workbench import errors as workbench
from settlement.settlements.instruct import InvoiceNotPayable
from settlement.signer.opening import NothingDeployed, OtherRail
from settlement.statements import errors as statements

MEDIA_TYPE = "application/problem+json"

STATUSES: Mapping[type[errors.RailError], int] = {
    errors.Refused: 422,
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.Invalid: 422,
    errors.IllegalMove: 409,
    errors.IdempotencyKeyMissing: 400,
    errors.IdempotencyConflict: 422,
    errors.IdempotencyInFlight: 409,
    errors.Retryable: 503,
    errors.ChainUnreachable: 503,
    errors.Fatal: 500,
    AddressInvalid: 422,
    AmountInvalid: 422,
    AnvilFailed: 503,
    AnvilMissing: 500,
    BankAccountExists: 409,
    DocumentRejected: 422,
    DocumentTooLarge: 413,
    DocumentUnreadable: 422,
    InvoiceNotPayable: 409,
    InvoiceOverpaid: 409,
    KeyFileExposed: 500,
    KeyFileLocked: 500,
    KeyInEnvironment: 500,
    LimitExceeded: 409,
    LimitNotActive: 409,
    ListUnreadable: 422,
    PackInvalid: 422,
    MappingInvalid: 422,
    NoBankMapping: 422,
    MessageInvalid: 422,
    NoHeaderEvidence: 503,
    NotAMandateCall: 422,
    NothingPaid: 409,
    NotProvable: 409,
    OtherBankAccount: 409,
    ParticipantExists: 409,
    PersonErased: 409,
    PortInUse: 500,
    RulesEngineBusy: 503,
    RulesEngineClosed: 503,
    StatementConflict: 409,
    StatementContradicts: 422,
    StatementInvalid: 422,
    StatementRefused: 422,
    StatementUnreadable: 422,
    UnknownBankAccount: 422,
    UnknownDocumentType: 415,
    WalletRefused: 409,
    approvals.ApprovalNotOpen: 409,
    approvals.ApprovalOpen: 409,
    approvals.NoApprovalRule: 403,
    approvals.NotAnApprover: 403,
    approvals.NotTheMaker: 403,
    approvals.SamePerson: 403,
    approvals.SeenOutdated: 409,
    invoices.CreditNoteHasNoMoves: 409,
    invoices.CreditNoteTooLarge: 409,
    invoices.CurrencyNotListed: 422,
    invoices.DuplicateInvoice: 409,
    invoices.NotTheBuyer: 403,
    invoices.NotTheSeller: 403,
    invoices.NothingPayable: 422,
    invoices.PartiesIdentical: 422,
    invoices.PartyNotActive: 409,
    invoices.PartyUnknown: 422,
    invoices.PrecedingInvoiceUnknown: 422,
    invoices.ReasonMissing: 422,
    exports.FileNotSound: 422,
    exports.NotExported: 422,
    engine.CannotBeSplit: 409,
    engine.ExpectationNotOpen: 409,
    engine.MatchNotLive: 409,
    engine.OwnRuleSet: 403,
    engine.RecordNotOpen: 409,
    engine.RuleSetDecided: 409,
    engine.RuleSetInvalid: 422,
    periods.PeriodMoved: 409,
    periods.PeriodNotNext: 409,
    periods.SecondPersonMissing: 403,
    statements.DayNotBegun: 422,
    statements.NoSuchPage: 422,
    statements.NothingToAdvise: 409,
    statements.StatementTooLong: 422,
    attributions.NothingToTakeBack: 409,
    returns.ReturnTooLarge: 409,
    workbench.ActMakesNoSense: 409,
    workbench.BreakChanged: 409,
    workbench.BreakIsClosed: 409,
    workbench.BreakIsOpen: 409,
    workbench.NotThisMoney: 409,
    workbench.NothingLeft: 409,
    workbench.NothingToUndo: 409,
    workbench.OverTheLimit: 403,
    workbench.ProposalOpen: 409,
    workbench.ProposalOutdated: 409,
    workbench.ReturnImpossible: 409,
    workbench.SameHand: 403,
    workbench.SheetUnreadable: 422,
    refusals.BodyInvalid: 422,
    refusals.BodyTooLarge: 413,
    refusals.BodyUnreadable: 400,
    refusals.IdempotencyKeyInvalid: 400,
    refusals.KeyRefused: 401,
    refusals.MethodNotAllowed: 405,
    refusals.NoSuchRoute: 404,
    refusals.NotReady: 503,
    refusals.RoleNotAllowed: 403,
    refusals.WriterBusy: 503,
    # Met at the command line only; here so that no refusal is without its place.
    AlreadyRunning: 500,
    ApiRefused: 500,
    BackupUnreadable: 500,
    NoApiKey: 500,
    NotSqlite: 500,
    NothingDeployed: 500,
    OtherRail: 500,
    approvals.MatrixInvalid: 500,
    PartFailed: 500,
    PortTaken: 500,
    RpcUrlMissing: 500,
}
"""Status of every class that may reach a door; a class without a row takes its nearest parent's."""


class Fault(BaseModel):
    """One place in the request, what stands there and what to do about it."""

    model_config = ConfigDict(extra="forbid")

    field: str | None = Field(None, description="JSON pointer, XPath, parameter or header.")
    rule_id: str | None = Field(None, description="Of a document: BR-CO-15, SR-…")
    found: str | None = None
    message: str
    repair: str | None = None


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="A path at this gateway that explains this kind of problem.")
    title: str
    status: int
    detail: str
    instance: str = Field(description="The path that was asked for.")
    request_id: str = Field(description="Also in the header X-Request-Id and in the log.")
    errors: list[Fault] = []
    existing_id: str | None = Field(None, description="Of a duplicate: what is there already.")


class Asked(NamedTuple):
    """Which request a problem answers."""

    path: str
    request_id: str


def status_of(error: errors.RailError) -> int:
    """Return the HTTP status of an exception: its own row's, or its nearest parent's."""
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return 500


def slug(kind: type[BaseException]) -> str:
    """Return the last part of a problem's type: `DuplicateInvoice` is `duplicate-invoice`."""
    return _words(kind).replace(" ", "-")


def title(kind: type[BaseException]) -> str:
    """Return a problem's title: `DuplicateInvoice` is `Duplicate invoice`."""
    return _words(kind).capitalize()


def problem(error: errors.RailError, asked: Asked) -> dict[str, Any]:
    """Return the problem's members, those without a value left out."""
    status = status_of(error)
    # What only a person at the machine can mend is in the log, not in a stranger's answer.
    detail = str(error) if status != 500 else "the gateway cannot go on; its log says why"
    members: dict[str, Any] = {
        "type": f"/problems/{slug(type(error))}",
        "title": title(type(error)),
        "status": status,
        "detail": detail,
        "instance": asked.path,
        "request_id": asked.request_id,
        "errors": [] if status == 500 else list(_faults(error)),
    }
    if isinstance(error, invoices.DuplicateInvoice):
        members["existing_id"] = error.first_id
    return members


def rendered(error: errors.RailError, asked: Asked) -> tuple[int, bytes]:
    """Return a problem's status and its bytes."""
    members = problem(error, asked)
    return members["status"], orjson.dumps(members)


def page(name: str) -> dict[str, Any] | None:
    """Explain a kind of problem: what `type` leads to. None where there is no such kind."""
    for kind, status in STATUSES.items():
        if slug(kind) == name:
            about = (kind.__doc__ or "").partition("\n")[0]
            return {"title": title(kind), "status": status, "meaning": about}
    return None


def _faults(error: errors.RailError) -> Iterable[dict[str, str]]:
    if isinstance(error, DocumentRejected):
        for failure in error.failures:
            yield {
                "field": failure.location,
                "rule_id": failure.rule_id,
                "found": failure.found,
                "message": failure.message,
                "repair": failure.repair,
            }
    elif isinstance(error, refusals.BodyInvalid):
        for fault in error.faults:
            yield {name: value for name, value in fault.items() if value is not None}
    elif isinstance(error, refusals.NotReady):
        for name, message in error.faults.items():
            yield {"field": name, "message": message}
    elif isinstance(error, errors.Refused) and (error.field or error.repair):
        fault = {"field": error.field, "message": str(error), "repair": error.repair}
        yield {name: value for name, value in fault.items() if value is not None}


def _words(kind: type[BaseException]) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", kind.__name__).lower()
