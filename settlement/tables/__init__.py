"""The schema at a glance: every table, by noun.

Knows columns and constraints; queries live in the module that owns the noun.

    parties    participant, wallet, token, deployment, idempotency
    access     person, personal_key, api_key, credential, recovery_code, person_session,
               sign_in_failure, oidc_flow
    registration  participant_event, participant_alias, natural_person, participant_owner,
               participant_document, participant_account, wallet_challenge, wallet_proof,
               participant_change
    invoices   document, invoice, invoice_event, outbox
    payments   settlement_sequence, settlement, settlement_event, clearance, list_version,
               list_entry
    sending    lane, duty, chain_tx, chain_tx_event, batch_member, attempt
    facts      block, receipt, chain_log, cursor
    matching   recon_record, recon_mark, expected_payment, recon_rule_set, recon_run,
               recon_match, recon_member
    bank       bank_account, bank_mapping, statement_file, statement, bank_entry
    books      account, balance, journal_entry, posting, settlement_match, settlement_break
    registry   registry_wish, registry_standing, registry_change
    tie_out    transfer_sum
    periods    accounting_period, balance_monitor, monitor_crossing
    approvals  approval_request, approval_decision
    audit      audit_event, audit_subject, audit_head
    workbench  break_event, break_part, break_effect, break_proposal, break_decision
    screening  list_party, list_name, list_address, list_identifier, list_link,
               screening_subject, screening_hit, screening_hit_event, screening_run
    inquiries  inquiry, inquiry_entry, inquiry_attachment
    supervision supervisor_report
    travel_rule travel_rule_payload, travel_rule_transfer
    limits     payment_limit, payment_limit_change, limit_counter, limit_use
    policy     policy_version, policy_inputs, policy_flag, register_version, register_entry,
               trade_declaration
"""

from sqlmodel import SQLModel

from settlement.tables.access import (
    ApiKey,
    Credential,
    OidcFlow,
    Person,
    PersonalKey,
    PersonSession,
    RecoveryCode,
    SignInFailure,
)
from settlement.tables.approvals import ApprovalDecision, ApprovalRequest
from settlement.tables.audit import AuditEvent, AuditHead, AuditSubject
from settlement.tables.bank import (
    BankAccount,
    BankEntry,
    BankMapping,
    Statement,
    StatementFile,
)
from settlement.tables.books import (
    Account,
    Balance,
    JournalEntry,
    Posting,
    SettlementBreak,
    SettlementMatch,
)
from settlement.tables.facts import Block, ChainLog, Cursor, Receipt
from settlement.tables.inquiries import Inquiry, InquiryAttachment, InquiryEntry
from settlement.tables.invoices import Document, Invoice, InvoiceEvent, Outbox
from settlement.tables.limits import (
    LimitCounter,
    LimitUse,
    PaymentLimit,
    PaymentLimitChange,
)
from settlement.tables.matching import (
    ExpectedPayment,
    ReconMark,
    ReconMatch,
    ReconMember,
    ReconRecord,
    ReconRuleSet,
    ReconRun,
)
from settlement.tables.parties import (
    Deployment,
    Idempotency,
    Participant,
    Token,
    Wallet,
)
from settlement.tables.payments import (
    Clearance,
    ListEntry,
    ListVersion,
    Settlement,
    SettlementEvent,
    SettlementSequence,
)
from settlement.tables.periods import AccountingPeriod, BalanceMonitor, MonitorCrossing
from settlement.tables.policy import (
    PolicyFlag,
    PolicyInputs,
    PolicyVersion,
    RegisterEntry,
    RegisterVersion,
    TradeDeclaration,
)
from settlement.tables.registration import (
    NaturalPerson,
    ParticipantAccount,
    ParticipantAlias,
    ParticipantChange,
    ParticipantDocument,
    ParticipantEvent,
    ParticipantOwner,
    WalletChallenge,
    WalletProof,
)
from settlement.tables.registry import RegistryChange, RegistryStanding, RegistryWish
from settlement.tables.screening import (
    ListAddress,
    ListIdentifier,
    ListLink,
    ListName,
    ListParty,
    ScreeningHit,
    ScreeningHitEvent,
    ScreeningRun,
    ScreeningSubject,
)
from settlement.tables.sending import (
    Attempt,
    BatchMember,
    ChainTx,
    ChainTxEvent,
    Duty,
    Lane,
)
from settlement.tables.supervision import SupervisorReport
from settlement.tables.tie_out import TransferSum
from settlement.tables.travel_rule import TravelRulePayload, TravelRuleTransfer
from settlement.tables.workbench import (
    BreakDecision,
    BreakEffect,
    BreakEvent,
    BreakPart,
    BreakProposal,
)

metadata = SQLModel.metadata

APPEND_ONLY = (
    "trade_declaration",
    "policy_inputs",
    "journal_entry",
    "posting",
    "invoice_event",
    "settlement_event",
    "chain_tx_event",
    "chain_log",
    "monitor_crossing",
    "registry_change",
    "break_event",
    "break_decision",
    "payment_limit_change",
    "participant_event",
    "wallet_proof",
    "approval_decision",
    "audit_event",
    "inquiry_entry",
    "inquiry_attachment",
)
"""Tables in which the database itself refuses UPDATE and DELETE."""

__all__ = [
    "APPEND_ONLY",
    "Account",
    "AccountingPeriod",
    "ApiKey",
    "ApprovalDecision",
    "ApprovalRequest",
    "Attempt",
    "AuditEvent",
    "AuditHead",
    "AuditSubject",
    "Balance",
    "BalanceMonitor",
    "BankAccount",
    "BankEntry",
    "BankMapping",
    "BatchMember",
    "Block",
    "BreakDecision",
    "BreakEffect",
    "BreakEvent",
    "BreakPart",
    "BreakProposal",
    "ChainLog",
    "ChainTx",
    "ChainTxEvent",
    "Clearance",
    "Credential",
    "Cursor",
    "Deployment",
    "Document",
    "Duty",
    "ExpectedPayment",
    "Idempotency",
    "Inquiry",
    "InquiryAttachment",
    "InquiryEntry",
    "Invoice",
    "InvoiceEvent",
    "JournalEntry",
    "Lane",
    "LimitCounter",
    "LimitUse",
    "ListAddress",
    "ListEntry",
    "ListIdentifier",
    "ListLink",
    "ListName",
    "ListParty",
    "ListVersion",
    "MonitorCrossing",
    "NaturalPerson",
    "OidcFlow",
    "Outbox",
    "Participant",
    "ParticipantAccount",
    "ParticipantAlias",
    "ParticipantChange",
    "ParticipantDocument",
    "ParticipantEvent",
    "ParticipantOwner",
    "PaymentLimit",
    "PaymentLimitChange",
    "Person",
    "PersonSession",
    "PersonalKey",
    "PolicyFlag",
    "PolicyInputs",
    "PolicyVersion",
    "Posting",
    "Receipt",
    "ReconMark",
    "ReconMatch",
    "ReconMember",
    "ReconRecord",
    "ReconRuleSet",
    "ReconRun",
    "RecoveryCode",
    "RegisterEntry",
    "RegisterVersion",
    "RegistryChange",
    "RegistryStanding",
    "RegistryWish",
    "ScreeningHit",
    "ScreeningHitEvent",
    "ScreeningRun",
    "ScreeningSubject",
    "Settlement",
    "SettlementBreak",
    "SettlementEvent",
    "SettlementMatch",
    "SettlementSequence",
    "SignInFailure",
    "Statement",
    "StatementFile",
    "SupervisorReport",
    "Token",
    "TradeDeclaration",
    "TransferSum",
    "TravelRulePayload",
    "TravelRuleTransfer",
    "Wallet",
    "WalletChallenge",
    "WalletProof",
    "metadata",
]
