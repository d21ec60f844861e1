"""Listed parties in full, whom they were compared with, what was found, what people decided."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import SQLModel

from settlement.tables.columns import big, moment, only, text


class ListParty(SQLModel, table=True):
    """A party as a list describes it, in force from one version of the list until another."""

    __tablename__ = "list_party"
    __table_args__ = (
        # A list describes each party once at a time.
        Index("list_party_once", "list_name", "entry_key", unique=True, **only("ended_by IS NULL")),
        Index("list_party_since", "version_id"),
        Index("list_party_ended", "ended_by", **only("ended_by IS NOT NULL")),
    )
    id: str = text(primary_key=True)
    list_name: str = text()
    entry_key: str = text()
    """What the list itself numbers it by: the same in every version."""
    kind: str = text()
    """person, organization, vessel, aircraft or unknown."""
    name: str = text()
    """The list's own main name of it."""
    content_hash: str = text()
    """SHA-256 over all that the list says of it: another one is another description."""
    detail: str = text(default="{}")
    """JSON: programs, countries, dates of birth, remarks."""
    version_id: str = text(foreign_key="list_version.id")
    ended_by: str | None = text(default=None, foreign_key="list_version.id")
    """The version that no longer says so."""


class ListName(SQLModel, table=True):
    """A name of a listed party."""

    __tablename__ = "list_name"
    party_id: str = text(primary_key=True, foreign_key="list_party.id")
    place: int = big(primary_key=True)
    kind: str = text()
    """main, strong or weak: what the list calls a weak a.k.a. identifies nobody by itself."""
    name: str = text()


class ListAddress(SQLModel, table=True):
    """Where a listed party is said to be."""

    __tablename__ = "list_address"
    party_id: str = text(primary_key=True, foreign_key="list_party.id")
    place: int = big(primary_key=True)
    address: str = text()
    country: str | None = text(default=None)
    """ISO 3166-1 alpha-2, where it is known."""


class ListIdentifier(SQLModel, table=True):
    """A number, code or wallet that a list says is a party's."""

    __tablename__ = "list_identifier"
    __table_args__ = (Index("list_identifier_value", "value"),)
    party_id: str = text(primary_key=True, foreign_key="list_party.id")
    place: int = big(primary_key=True)
    kind: str = text()
    """wallet, imo, bic, lei, or what the list calls it."""
    value: str = text()
    """As compared: upper case without spaces, 0x-addresses in lower case."""


class ListLink(SQLModel, table=True):
    """What a list says of a listed party and another one: owner of, acts for, linked to."""

    __tablename__ = "list_link"
    party_id: str = text(primary_key=True, foreign_key="list_party.id")
    place: int = big(primary_key=True)
    relation: str = text()
    other: str = text()
    """The other's entry key where the list has one, else its name."""
    share_bp: int | None = None
    """Basis points of it that are owned, where the list says."""


class ScreeningSubject(SQLModel, table=True):
    """What of a participant was last compared, with which lists, and what its owners add up to."""

    __tablename__ = "screening_subject"
    __table_args__ = (CheckConstraint("listed_ownership_bp BETWEEN 0 AND 10000"),)
    participant_id: str = text(primary_key=True, foreign_key="participant.id")
    content_hash: str = text()
    """SHA-256 over its names, owners and wallets as they were compared."""
    lists_hash: str = text(index=True)
    """SHA-256 over the versions in force then."""
    listed_ownership_bp: int = 0
    listed_owners: str = text(default="[]")
    """JSON: one text for each owner that is listed."""
    listed_controllers: str = text(default="[]")
    """JSON: one text for each that is listed and controls it, with a share or without."""
    screened_at: int = moment()


class ScreeningHit(SQLModel, table=True):
    """A name, owner or wallet of a participant that may be a listed party: one row for ever."""

    __tablename__ = "screening_hit"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'cleared', 'confirmed', 'lapsed')"),
        CheckConstraint("subject_kind IN ('name', 'owner', 'wallet', 'identifier')"),
        CheckConstraint("score BETWEEN 0 AND 100"),
        # What a person decided has a person and a reason.
        CheckConstraint(
            "state NOT IN ('cleared', 'confirmed') OR"
            " (decided_by IS NOT NULL AND reason IS NOT NULL)"
        ),
        UniqueConstraint(
            "participant_id", "subject_kind", "subject_key", "list_name", "entry_key",
            name="screening_hit_once",
        ),
        Index("screening_hit_waiting", "participant_id", **only("state IN ('open', 'confirmed')")),
        Index("screening_hit_entry", "list_name", "entry_key"),
    )  # fmt: skip
    id: str = text(primary_key=True)
    participant_id: str = text(foreign_key="participant.id")
    subject_kind: str = text()
    subject_key: str = text()
    """Which of the participant's names, owners or wallets."""
    subject_text: str = text()
    list_name: str = text()
    entry_key: str = text()
    party_id: str = text(foreign_key="list_party.id")
    """The description that it was last compared with."""
    entry_text: str = text()
    """The listed name or identifier that comes closest."""
    score: int
    parts: str = text(default="{}")
    """JSON: what the score is made of."""
    subject_hash: str = text()
    entry_hash: str = text()
    """What was compared on each side: a cleared hit opens again when one differs."""
    state: str = text(default="open")
    """`lapsed`: the list or the participant no longer says what was found."""
    assigned_to: str | None = text(default=None)
    decided_by: str | None = text(default=None)
    decided_at: int | None = moment(default=None)
    reason: str | None = text(default=None)
    created_at: int = moment()
    updated_at: int = moment()


class ScreeningHitEvent(SQLModel, table=True):
    """One thing that happened to a hit: found, assigned, cleared, opened again. Append-only."""

    __tablename__ = "screening_hit_event"
    id: int | None = big(default=None, primary_key=True)
    hit_id: str = text(foreign_key="screening_hit.id", index=True)
    move: str = text()
    actor: str = text()
    reason: str | None = text(default=None)
    detail: str = text(default="{}")
    at: int = moment()


class ScreeningRun(SQLModel, table=True):
    """One comparison of participants with lists, for the supervisor's log."""

    __tablename__ = "screening_run"
    __table_args__ = (
        CheckConstraint("kind IN ('diff', 'all', 'changed')"),
        CheckConstraint("state IN ('running', 'done', 'overtaken')"),
        # Everybody is compared by one run at a time.
        Index("screening_run_once", "kind", unique=True, **only("state = 'running'")),
    )
    id: str = text(primary_key=True)
    kind: str = text()
    """`diff`: a new version's changes with those who have open payments. `all`: everybody."""
    state: str = text(default="running")
    actor: str = text()
    list_versions: str = text()
    """JSON: list name to version id, as compared."""
    lists_hash: str = text()
    after_id: str = text(default="")
    """Everybody up to this participant is done: after a crash it goes on from here."""
    compared: int = 0
    found: int = 0
    reopened: int = 0
    lapsed: int = 0
    held: int = 0
    """Payments that were held or stopped because of it."""
    started_at: int = moment()
    finished_at: int | None = moment(default=None)
