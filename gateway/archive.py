"""Backups: a consistent copy of the database with a manifest, and putting it back.

Knows no payment. After a restore the lanes are paused: the chain may know more than the copy.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sqlite3
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from gateway import at_the_machine, wiring
from gateway.supervisor import lock_home
from settlement.config import Settings
from settlement.errors import Conflict, Invalid, Refused
from settlement.store import open_engine, require_current, transaction

_DATABASE = "settle.sqlite3"
_MANIFEST = "manifest.json"
_FORMAT = 1


class BackupUnreadable(Invalid):
    """The file is no backup, or not a whole one; nothing was changed."""


class NotSqlite(Refused):
    """PostgreSQL has its own, better tools for this."""

    def __init__(self) -> None:
        super().__init__(
            "this command copies SQLite databases",
            field="SETTLE_DATABASE_URL",
            repair="use pg_dump and pg_restore; after a restore run `settle lane heal`",
        )


def write(settings: Settings, file: Path) -> dict[str, Any]:
    """Write a backup of the configured database; return its manifest.

    Raises:
        Conflict: the file is there already.
        NotSqlite: the database is PostgreSQL.
        Invalid: there is none.
    """
    if file.exists():
        raise Conflict(f"{file} is there already", field="file", repair="choose another name")
    place = _path(settings)
    if not place.exists():
        raise Invalid(
            f"there is no database {place}", field="SETTLE_DATABASE_URL",
            repair="say with SETTLE_HOME or SETTLE_DATABASE_URL where it is",
        )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / _DATABASE
        with sqlite3.connect(place) as source, sqlite3.connect(copy) as target:
            source.backup(target)  # One moment's state, while others go on writing.
        manifest = _manifest(copy)
        partial = file.with_name(f"{file.name}.part")
        with tarfile.open(partial, "w") as archive:
            _add(archive, _MANIFEST, json.dumps(manifest, indent=2).encode())
            archive.add(copy, _DATABASE)
        partial.replace(file)
    return manifest


def read(settings: Settings, file: Path, *, replace: bool) -> dict[str, Any]:
    """Put a backup in the place of the configured database; return its manifest.

    Raises:
        AlreadyRunning: a rail uses this home.
        BackupUnreadable: not a backup, damaged, or of another schema.
        Conflict: a database is there, and not `replace`.
    """
    place = _path(settings)
    with lock_home(settings.home), tempfile.TemporaryDirectory(dir=settings.home) as folder:
        if place.exists() and not replace:
            raise Conflict(
                f"{place} is there already",
                field="--replace",
                repair="give --replace; the present database is kept beside it",
            )
        manifest, copy = _unpack(file, Path(folder))
        _pause_lanes(copy)
        if place.exists():
            aside = place.with_name(f"{place.name}.before-restore")
            with sqlite3.connect(place) as present, sqlite3.connect(aside) as kept:
                present.backup(kept)  # With what its write-ahead log holds.
        for leftover in ("-wal", "-shm"):
            place.with_name(place.name + leftover).unlink(missing_ok=True)
        copy.replace(place)
    return manifest


def _pause_lanes(copy: Path) -> None:
    """Let nothing be sent from the copy before a person says so.

    Raises:
        SchemaNotCurrent: the copy is of another version of this program.
    """
    engine = open_engine(f"sqlite:///{copy}")
    require_current(engine)
    with transaction(engine) as session:
        at_the_machine.record(session, "settle restore", wiring.now())
    engine.dispose()
    database = sqlite3.connect(copy)
    database.execute(
        "UPDATE lane SET state = 'paused', lease_owner = NULL, lease_until = 0, reason ="
        " 'restored from a backup: run `settle lane heal ' || signer"
        " || '`, then `settle lane resume ' || signer || '`'"
    )
    database.commit()
    database.execute("PRAGMA journal_mode=DELETE")  # One file, nothing beside it.
    database.close()


def _path(settings: Settings) -> Path:
    url = make_url(wiring.database_url(settings))
    if url.get_backend_name() != "sqlite" or not url.database:
        raise NotSqlite
    return Path(url.database)


def _manifest(copy: Path) -> dict[str, Any]:
    with sqlite3.connect(copy) as database:
        fault = database.execute("PRAGMA quick_check").fetchone()[0]
        if fault != "ok":
            raise BackupUnreadable(f"the database is damaged: {fault}", field="file")
        head = database.execute(
            "SELECT seq, hash FROM journal_entry ORDER BY seq DESC LIMIT 1"
        ).fetchone() or (0, "")
        acts = database.execute("SELECT seq, hash FROM audit_head").fetchone()
        version = database.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        lanes = dict(database.execute("SELECT signer, next_nonce FROM lane").fetchall())
    return {
        "format": _FORMAT,
        "created_at": wiring.now().isoformat(),
        "schema": version,
        "journal_seq": head[0],
        "journal_hash": head[1],
        "audit_seq": acts[0],
        "audit_hash": acts[1],
        "next_nonces": lanes,
        "sha256": _sha256(copy),
    }


def _unpack(file: Path, folder: Path) -> tuple[dict[str, Any], Path]:
    try:
        with tarfile.open(file) as archive:
            for name in (_MANIFEST, _DATABASE):
                _copy_out(archive, name, folder / name)
        manifest = json.loads((folder / _MANIFEST).read_bytes())
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise BackupUnreadable(
            f"{file} is no backup of this program: {error}", field="file",
            repair="give a file that `settle backup` wrote",
        ) from error  # fmt: skip
    copy = folder / _DATABASE
    if manifest.get("format") != _FORMAT or manifest.get("sha256") != _sha256(copy):
        raise BackupUnreadable(
            f"{file} is damaged: its content is not what its manifest says", field="file",
            repair="use another backup",
        )  # fmt: skip
    return manifest, copy


def _copy_out(archive: tarfile.TarFile, name: str, place: Path) -> None:
    """Write a member's bytes to a place of ours: nothing that the archive says of paths counts."""
    content = archive.extractfile(name)
    if content is None:
        raise KeyError(f"{name} is no file")
    with content, place.open("wb") as file:
        shutil.copyfileobj(content, file)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
