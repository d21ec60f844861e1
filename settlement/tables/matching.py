"""What is to be matched, by which rules, in which run, and what was matched with what."""

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from settlement.tables.columns import KEYED, big, moment, only, text


class ReconRecord(SQLModel, table=True):
    """One thing that something elsewhere must agree with. Amounts: 10^-6 of one currency unit."""

    __tablename__ = "recon_record"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'matched', 'withdrawn', 'explained', 'split')"),
        # Sums of a whole group stay within 64 bits.
        CheckConstraint("amount_micro BETWEEN -4000000000000000000 AND 4000000000000000000"),
        CheckConstraint("amount_micro <> 0"),
        CheckConstraint("(low_micro IS NULL) = (high_micro IS NULL) AND low_micro <= high_micro"),
        CheckConstraint("(first_day IS NULL) = (last_day IS NULL) AND first_day <= last_day"),
        # Projecting a second time is a no-op.
        Index("recon_record_once", "origin", "source", unique=True),
        Index("recon_record_by_end_to_end", "end_to_end_id", **only("end_to_end_id IS NOT NULL")),
        Index("recon_record_by_reference", "reference", **only("reference IS NOT NULL")),
        Index("recon_record_by_amount", "source", "owner", "amount_micro"),
        # What no run has looked at yet, and what is left over, stay few.
        Index("recon_record_fresh", "id", **only("fresh")),
        Index("recon_record_open", "id", **only("state = 'open'")),
        Index("recon_record_by_invoice", "invoice_id", **only("source = 'invoice'")),
        Index("recon_record_parts", "parent_id", **only("parent_id IS NOT NULL")),
    )
    id: int | None = big(default=None, primary_key=True)
    source: str = text()
    """payment, mint, burn, deposit, withdrawal, invoice, expected, bank."""
    origin: str = text()
    """`match_<id>`, `log:<block>:<index>`, `<invoice>:<version>`, `exp_…`, `bank:<entry id>`; of
    a part, `part:<parent's id>:<place>:<try>`."""
    owner: str = text(default="")
    """Participant whose books it concerns, or ''."""
    account: str = text(default="")
    """Bank account's id, wallet's address, or ''."""
    currency: str = text()
    """ISO 4217; of a token, its currency."""
    amount_micro: int = big()
    """+ the owner received, - the owner paid."""
    unit: str = text()
    """The token's symbol, or the currency."""
    end_to_end_id: str | None = text(default=None)
    reference: str | None = text(default=None)
    """Normalised: capitals, no spaces. Invoice number, structured reference, UETR."""
    counterparty: str | None = text(default=None)
    """Participant's id where known, else a normalised name, IBAN or address."""
    value_day: int
    """Days since 1970-01-01."""
    due_day: int | None = None
    """From when its absence at the other side is a break; before that it is expected."""
    first_day: int | None = None
    last_day: int | None = None
    low_micro: int | None = big(default=None)
    high_micro: int | None = big(default=None)
    """Bounds, where any amount between them will do; signed like the amount."""
    settlement_id: str | None = text(default=None)
    invoice_id: str | None = text(default=None)
    parent_id: int | None = big(foreign_key="recon_record.id", default=None)
    """Of a part: the record that was split into it and others that sum to it."""
    state: str = text(default="open")
    fresh: bool = True
    """No run has looked at it since it came or was reopened."""
    created_at: int = moment()


class ReconMark(SQLModel, table=True):
    """How far into each of its sources the projection has read."""

    __tablename__ = "recon_mark"
    name: str = text(primary_key=True)
    seq: int = big()


class ExpectedPayment(SQLModel, table=True):
    """A payment that somebody says will come or go, within bounds of amount and date."""

    __tablename__ = "expected_payment"
    __table_args__ = (
        CheckConstraint("direction IN ('credit', 'debit')"),
        CheckConstraint("low_minor > 0 AND low_minor <= high_minor"),
        CheckConstraint("first_day <= last_day"),
        CheckConstraint("(cancelled_at IS NULL) = (cancelled_by IS NULL)"),
        Index("expected_payment_cancelled", "id", **only("cancelled_at IS NOT NULL")),
    )
    id: int | None = big(default=None, primary_key=True)
    owner_id: str = text(foreign_key="participant.id", index=True)
    account: str = text(default="")
    """Bank account or wallet where it is expected; '' for any of the owner's."""
    direction: str = text()
    """credit: the owner will receive; debit: the owner will pay."""
    currency: str = text()
    low_minor: int = big()
    high_minor: int = big()
    """Bounds in cents of the currency; the same number for an exact amount."""
    first_day: str = text()
    last_day: str = text()
    """ISO 8601 dates: later than the last, its absence is a break."""
    end_to_end_id: str | None = text(default=None)
    reference: str | None = text(default=None)
    counterparty: str | None = text(default=None)
    description: str = text(default="")
    created_by: str = text()
    created_at: int = moment()
    cancelled_by: str | None = text(default=None)
    cancelled_at: int | None = moment(default=None)


class ReconRuleSet(SQLModel, table=True):
    """A version of the matching rules: written by one, tried on history, approved by another."""

    __tablename__ = "recon_rule_set"
    __table_args__ = (
        # Four eyes, whatever the program does.
        CheckConstraint("approved_by <> author"),
        CheckConstraint("(approved_by IS NULL) = (in_force_from IS NULL)"),
        # Nobody approves what was never tried.
        CheckConstraint("approved_by IS NULL OR tried_at IS NOT NULL"),
        CheckConstraint("(tried_at IS NULL) = (tried IS NULL)"),
    )
    version: int = Field(primary_key=True)
    body: str = text()
    """Canonical JSON."""
    sha256: str = text(unique=True)
    author: str = text()
    created_at: int = moment()
    tried: str | None = text(default=None)
    """What the dry run came to, as JSON."""
    tried_at: int | None = moment(default=None)
    approved_by: str | None = text(default=None)
    in_force_from: int | None = moment(default=None)
    """The newest that is not in the future is in force."""


class ReconRun(SQLModel, table=True):
    """One run of the engine. Killed, the next one goes on from what was committed."""

    __tablename__ = "recon_run"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done', 'superseded')"),
        # One at a time: the next takes over, and the one before notices at its next commit.
        Index("recon_run_once", "state", unique=True, **only("state = 'running'")),
    )
    id: int | None = big(default=None, primary_key=True)
    rule_set_version: int = Field(foreign_key="recon_rule_set.version")
    state: str = text()
    counts: str = text(default="{}")
    """What it has done so far, as JSON."""
    marks: str = text(default="{}")
    """How far into each source it has read, as JSON."""
    started_at: int = moment()
    touched_at: int = moment()
    finished_at: int | None = moment(default=None)


class ReconMatch(SQLModel, table=True):
    """Records that were found, or said, to be the same money. Undone, it stays."""

    __tablename__ = "recon_match"
    __table_args__ = (
        CheckConstraint("kind IN ('auto', 'manual')"),
        CheckConstraint("(undone_at IS NULL) = live"),
        CheckConstraint("(rule_set_version IS NULL) = (kind = 'manual')"),
        CheckConstraint("score BETWEEN 0 AND 100 AND size >= 1"),
        Index("recon_match_lead_once", "lead_id", unique=True, **only("live")),
        # What people undid is asked for with every chunk that is stored; it stays little.
        Index("recon_match_undone", "lead_id", **only("NOT live")),
    )
    id: int | None = big(default=None, primary_key=True)
    rule_set_version: int | None = Field(default=None, foreign_key="recon_rule_set.version")
    rule_id: str = text()
    score: int
    """100: as sure as a rule can be. Never compared: what ties is not matched."""
    reasons: str = text()
    """What agrees and by how much, as JSON."""
    kind: str = text()
    lead_id: int = big(foreign_key="recon_record.id")
    """One of its records, by which a match and its members find each other."""
    size: int
    """How many records it joins."""
    live: bool = True
    created_at: int = moment()
    created_by: str = text()
    undone_at: int | None = moment(default=None)
    undone_by: str | None = text(default=None)
    undone_reason: str | None = text(default=None)


class ReconMember(SQLModel, table=True):
    """A record in a match."""

    __tablename__ = "recon_member"
    __table_args__ = (
        # The database says it: a record is in at most one live match.
        Index("recon_member_once", "record_id", unique=True, **only("live")),
        KEYED,
    )
    match_id: int = big(primary_key=True, foreign_key="recon_match.id")
    record_id: int = big(primary_key=True, foreign_key="recon_record.id")
    live: bool = True
