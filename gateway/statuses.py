"""The HTTP status of every class that may reach a door: the table, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from gateway import refusals
from gateway.archive import BackupUnreadable, NotSqlite
from gateway.cli.client import ApiRefused, NoApiKey
from gateway.kept_node import ChainLost, RecordsLost
from gateway.key_files import KeyFileLost, OtherPepper
from gateway.supervisor import AlreadyRunning, PartFailed, PortTaken
from gateway.wiring import NoInstallation, RpcUrlMissing
from settlement import approvals, errors
from settlement.access import PersonErased, keys, passwords, people
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
from settlement.compliance.inquiries import AttachmentRefused
from settlement.compliance.limits import LimitExceeded
from settlement.compliance.limits.changing import LimitNotActive
from settlement.compliance.lists import ListFormatDiffers, ListShrinks, ListUnreadable
from settlement.compliance.policy import PackInvalid
from settlement.compliance.policy_errors import (
    OwnPolicy,
    PolicyDecided,
    PolicyOutdated,
    PolicyTakesBack,
)
from settlement.compliance.registers import RegisterShrinks, RegisterUnreadable
from settlement.compliance.screening.deciding import HitChanged, WalletStaysListed
from settlement.compliance.travel_rule.opening import NotClosed, NotInTurn
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
    activation,
    changes,
    papers,
    proofs,
)
from settlement.participants import accounts as payee_accounts
from settlement.participants.people import PersonErasedAlready
from settlement.proof import NothingPaid, NotProvable
from settlement.reconciliation import engine
from settlement.reconciliation.workbench import errors as workbench
from settlement.registry.freezing import NotFrozen, NothingToFreeze
from settlement.settlements.inquiring import PaymentUnderWay
from settlement.settlements.instruct import InvoiceNotPayable
from settlement.signer.opening import NothingDeployed, OtherRail
from settlement.statements import errors as statements
from settlement.supervision.reports import NothingToFile

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
    AttachmentRefused: 422,
    NothingToFreeze: 409,
    NotFrozen: 409,
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
    ListFormatDiffers: 409,
    ListShrinks: 409,
    HitChanged: 409,
    WalletStaysListed: 409,
    OwnPolicy: 403,
    PackInvalid: 422,
    PolicyDecided: 409,
    PolicyOutdated: 409,
    PolicyTakesBack: 409,
    RegisterShrinks: 409,
    RegisterUnreadable: 422,
    MappingInvalid: 422,
    NoBankMapping: 422,
    MessageInvalid: 422,
    NoHeaderEvidence: 503,
    NotAMandateCall: 422,
    NotClosed: 409,
    NotInTurn: 409,
    NothingPaid: 409,
    NothingToFile: 409,
    NotProvable: 409,
    OtherBankAccount: 409,
    ParticipantExists: 409,
    keys.KeyRotated: 409,
    people.PersonExists: 409,
    people.PersonNotActive: 409,
    PaymentUnderWay: 409,
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
    invoices.IssueDateFarOff: 422,
    invoices.NotTheBuyer: 403,
    invoices.NotTheSeller: 403,
    invoices.NothingPayable: 422,
    invoices.PartiesIdentical: 422,
    invoices.PartyNotActive: 409,
    invoices.PartyUnknown: 422,
    invoices.PayableTooLarge: 422,
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
    PersonErasedAlready: 409,
    activation.DossierChanged: 409,
    activation.DossierIncomplete: 409,
    activation.OwnWork: 403,
    changes.ChangeOver: 409,
    changes.ChangePending: 409,
    papers.DocumentOffered: 409,
    payee_accounts.PayeeAccountExists: 409,
    proofs.ChallengeOver: 409,
    proofs.ChallengesOpen: 409,
    proofs.WalletNotProved: 422,
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
    refusals.DatabaseAway: 503,
    refusals.NotReady: 503,
    refusals.OwnKey: 403,
    refusals.SessionRefused: 401,
    refusals.CsrfRefused: 403,
    refusals.TwoCredentials: 400,
    refusals.SignInRefused: 401,
    refusals.CodeRefused: 401,
    refusals.ParametersUnknown: 422,
    refusals.ProviderRefused: 401,
    refusals.ProviderUnreachable: 503,
    refusals.SignInBusy: 503,
    refusals.TooManyRequests: 429,
    passwords.PasswordWeak: 422,
    refusals.RoleNotAllowed: 403,
    refusals.TotalsDiffer: 409,
    refusals.WriterBusy: 503,
    # Met at the command line only; here so that no refusal is without its place.
    AlreadyRunning: 500,
    ChainLost: 500,
    RecordsLost: 500,
    ApiRefused: 500,
    BackupUnreadable: 500,
    KeyFileLost: 500,
    NoApiKey: 500,
    NoInstallation: 500,
    NotSqlite: 500,
    NothingDeployed: 500,
    OtherPepper: 500,
    OtherRail: 500,
    approvals.MatrixInvalid: 500,
    PartFailed: 500,
    PortTaken: 500,
    RpcUrlMissing: 500,
}
"""Status of every class that may reach a door; a class without a row takes its nearest parent's."""
