"""Who signs in and calls: people, the keys to their personal fields, API keys, sessions."""

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from settlement.tables.columns import moment, only, text

ROLES = (
    "role IN ('exporter', 'importer', 'treasury', 'approver', 'compliance', 'overseer', 'admin')"
)


class PersonalKey(SQLModel, table=True):
    """The key under which one natural person's fields are sealed; without it they are gone."""

    __tablename__ = "personal_key"
    __table_args__ = (
        CheckConstraint(
            "(wrapped IS NULL) = (erased_at IS NOT NULL)", name="ck_personal_key_erased"
        ),
    )
    subject: str = text(primary_key=True)
    """Whose fields: `per_…`, or another id that stands for a natural person."""
    wrapped: bytes | None = Field(default=None)
    """The data key, encrypted under the installation's; null: erased for good."""
    created_at: int = moment()
    erased_at: int | None = moment(default=None)


class Person(SQLModel, table=True):
    """A human being who acts on the rail; name and address are sealed under their own key."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'disabled', 'erased')", name="ck_person_state"),
        CheckConstraint(ROLES, name="ck_person_role"),
        CheckConstraint(
            "(state = 'erased') = (erased_at IS NOT NULL)", name="ck_person_erased_at"
        ),
        Index("ux_person_email", "email_digest", unique=True, **only("email_digest IS NOT NULL")),
        Index(
            "ux_person_oidc", "oidc_issuer", "oidc_subject", unique=True,
            **only("oidc_subject IS NOT NULL"),
        ),
    )  # fmt: skip
    id: str = text(primary_key=True)
    name_sealed: bytes = Field()
    email_sealed: bytes = Field()
    email_digest: str | None = text(default=None)
    """Keyed hash of the address in lower case: it finds a person and tells nobody the address."""
    role: str = text()
    """What they are when signed in; their API keys have roles of their own."""
    participant_id: str | None = text(foreign_key="participant.id", default=None)
    state: str = text(default="active")
    oidc_issuer: str | None = text(default=None)
    oidc_subject: str | None = text(default=None)
    created_by: str = text()
    created_at: int = moment()
    changed_at: int = moment()
    erased_at: int | None = moment(default=None)


class ApiKey(SQLModel, table=True):
    """A caller's key: shown once, stored as a keyed hash."""

    __tablename__ = "api_key"
    __table_args__ = (CheckConstraint(ROLES, name="ck_api_key_role"),)
    prefix: str = text(primary_key=True)
    key_hash: str = text()
    role: str = text()
    participant_id: str | None = text(foreign_key="participant.id", default=None)
    person_id: str | None = text(foreign_key="person.id", default=None, index=True)
    """Whose hand it is; null: a machine's."""
    scopes: str = text(default="")
    """Groups of routes, by spaces; empty: all that the role may use. They only narrow it."""
    label: str = text(default="")
    per_minute: int | None = Field(default=None)
    """Requests a minute that it may send; null: as many as it likes."""
    issued_by: str = text(default="")
    rotated_from: str | None = text(default=None)
    """The key that this one replaces, which ends when the overlap is over."""
    last_used_at: int | None = moment(default=None)
    """Written in batches, by the minute."""
    expires_at: int | None = moment(default=None)
    revoked_at: int | None = moment(default=None)
    revoked_by: str = text(default="")
    created_at: int = moment()


class Credential(SQLModel, table=True):
    """How a person proves who they are: a password's hash, and a secret for one-time codes."""

    __tablename__ = "credential"
    person_id: str = text(primary_key=True, foreign_key="person.id")
    password_hash: str | None = text(default=None)
    password_set_at: int | None = moment(default=None)
    must_change: bool = False
    totp_sealed: bytes | None = Field(default=None)
    totp_confirmed_at: int | None = moment(default=None)
    totp_last_step: int | None = Field(default=None)
    """The newest step whose code was taken: none is taken twice."""


class RecoveryCode(SQLModel, table=True):
    """A code for the day when the second factor is lost; each works once."""

    __tablename__ = "recovery_code"
    person_id: str = text(primary_key=True, foreign_key="person.id")
    code_hash: str = text(primary_key=True)
    created_at: int = moment()
    used_at: int | None = moment(default=None)


class PersonSession(SQLModel, table=True):
    """Somebody who is signed in: the cookie's keyed hash, and how long it holds."""

    __tablename__ = "person_session"
    id: str = text(primary_key=True)
    token_hash: str = text(unique=True)
    person_id: str = text(foreign_key="person.id", index=True)
    stage: str = text()
    """`full`, or what is still missing: `totp`, `enrol`, `password`."""
    method: str = text()
    """`password` or `oidc`."""
    address: str = text()
    agent: str = text()
    created_at: int = moment()
    last_seen_at: int = moment()
    expires_at: int = moment()
    revoked_at: int | None = moment(default=None)


class SignInFailure(SQLModel, table=True):
    """How often a sign-in failed of late, for an account or an address, be it known or not."""

    __tablename__ = "sign_in_failure"
    subject: str = text(primary_key=True)
    """Keyed hash of the account's or the network's address."""
    failures: int
    blocked_until: int = moment()
    last_at: int = moment(index=True)


class OidcFlow(SQLModel, table=True):
    """A sign-in that is under way at an OpenID provider; used once."""

    __tablename__ = "oidc_flow"
    state_hash: str = text(primary_key=True)
    nonce: str = text()
    verifier: str = text()
    created_at: int = moment(index=True)
