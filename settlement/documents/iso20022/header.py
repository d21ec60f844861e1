"""head.001.001.02: the business application header, and a message together with its header.

The envelope around both is the network's own affair; ours is one element without a namespace.
"""

from __future__ import annotations

from datetime import datetime

from lxml import etree

from settlement.documents.iso20022.filling import message
from settlement.documents.iso20022.schema import NAMESPACE
from settlement.documents.iso20022.values import Party, identifier, moment, party

NAME = "head.001.001.02"

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def header(
    *, message_id: str, definition: str, sender: Party, receiver: Party, created_at: datetime
) -> bytes:
    """Return the header of the message `message_id`, of which `definition` is such as
    `pacs.008.001.08`.

    Raises:
        MessageInvalid: a value does not fit.
    """
    tree = {
        "Fr": {"OrgId": party(sender)},
        "To": {"OrgId": party(receiver)},
        "BizMsgIdr": identifier(message_id, field="message id"),
        "MsgDefIdr": definition,
        "CreDt": moment(created_at),
    }
    return message(NAME, tree)


def identity(document: bytes) -> tuple[str, str]:
    """Return a message's definition, such as `pacs.008.001.08`, and its own id."""
    root = etree.fromstring(document)
    space = etree.QName(root).namespace or ""
    message_id = root.findtext(f".//{{{space}}}GrpHdr/{{{space}}}MsgId")
    assert message_id, "every message that we write has an id"
    return space.removeprefix(NAMESPACE), message_id


def enveloped(head: bytes, document: bytes) -> bytes:
    """Return header and document in one file."""
    parts = [content.removeprefix(_DECLARATION) for content in (head, document)]
    return _DECLARATION + b"<Envelope>\n" + b"\n".join(parts) + b"\n</Envelope>\n"
