"""Files that come with an answer: which kinds and types are taken, and that they are what they say.

Stores nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from settlement.errors import Invalid

KINDS = ("contract", "invoice", "transport", "customs", "identity", "other")
FILENAME_MAX = 120
ATTACHMENT_BYTES_MAX = 5 * 2**20
"""The database refuses more too."""
ATTACHMENTS_MAX = 10
"""So many come with one answer."""

_BEGINS: Mapping[str, tuple[bytes, ...]] = {
    "application/pdf": (b"%PDF-",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "application/xml": (b"<?xml", b"\xef\xbb\xbf<?xml"),
    "text/plain": (),
}
MEDIA_TYPES = tuple(_BEGINS)
_FILENAME = re.compile(r"[^\x00-\x1f\x7f/\\:*?\"<>|]+")


class AttachmentRefused(Invalid):
    """A file of a kind, type, name or size that is not taken, or that is not what it says."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as it was sent."""

    kind: str
    filename: str
    media_type: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Its content's hash, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def require_acceptable(attachment: Attachment, place: int) -> None:
    """Return quietly if the file is taken. Pure; opens nothing.

    Raises:
        AttachmentRefused: with what is wrong with it.
    """
    fault, repair = _fault(attachment)
    if fault:
        raise AttachmentRefused(fault, field=f"/attachments/{place}", repair=repair)


def _fault(attachment: Attachment) -> tuple[str, str]:
    name, size = attachment.filename, len(attachment.content)
    if attachment.kind not in KINDS:
        return f"{attachment.kind!r:.40} is no kind of attachment", f"one of {', '.join(KINDS)}"
    if attachment.media_type not in _BEGINS:
        types = ", ".join(MEDIA_TYPES)
        return f"files of type {attachment.media_type!r:.60} are not taken", f"send one of {types}"
    # What is not printable may turn the letters around: another name is seen than is there.
    is_plain = name.isprintable() and bool(_FILENAME.fullmatch(name))
    is_named = is_plain and name.strip(". ") and len(name) <= FILENAME_MAX
    if not is_named:
        return f"{name!r:.60} is no file's name", "a plain name of up to 120 characters"
    if not 0 < size <= ATTACHMENT_BYTES_MAX:
        return f"the file has {size} bytes", f"1 to {ATTACHMENT_BYTES_MAX} bytes"
    if not _is_what_it_says(attachment):
        return f"the file is no {attachment.media_type}", "send its right type, or another file"
    return "", ""


def _is_what_it_says(attachment: Attachment) -> bool:
    begins = _BEGINS[attachment.media_type]
    if begins:
        return attachment.content.startswith(begins)
    try:
        return "\x00" not in attachment.content.decode()
    except UnicodeDecodeError:
        return False
