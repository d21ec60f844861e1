"""Requests for information: a question to a party that holds a payment until it is accepted.

Keeps question, answers and attachments; moves no settlement: `settlements.inquiring` does.
"""

from settlement.compliance.inquiries.attachments import Attachment, AttachmentRefused
from settlement.compliance.inquiries.reading import open_inquiries

__all__ = ["Attachment", "AttachmentRefused", "open_inquiries"]
