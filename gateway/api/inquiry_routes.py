"""The routes of requests for information, with an example of each."""

from __future__ import annotations

from typing import Any, Literal

from gateway.api import inquiries
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import CommandRoute, QueryRoute, body_of
from settlement.compliance.inquiries.attachments import MEDIA_TYPES

_ID = "inq_019a8f2e6c1f7d3e9b6a2d4c5e6f7081"
_STATE = "OPEN, ANSWERED, OVERDUE, ACCEPTED or CANCELLED; the first three hold the payment."


class Inquiry(Shape):
    """A question about a payment that holds it until it is accepted."""

    object: Literal["inquiry"]
    id: str
    settlement_id: str
    asked_of: str
    question: str
    due_date: str
    state: str
    version: int
    asked_by: str
    created_at: str
    closed_by: str | None
    closed_at: str | None


class InquiryEntry(Shape):
    """One turn of the thread."""

    move: str
    state: str
    author: str
    words: str
    at: str


class InquiryAttachment(Shape):
    """A file that came with an answer; its bytes are at …/attachments/{id}."""

    id: str
    kind: str
    filename: str
    media_type: str
    sha256: str
    byte_count: int
    added_by: str
    at: str


class InquiryDetail(Inquiry):
    """An inquiry with its thread and files."""

    thread: list[InquiryEntry]
    attachments: list[InquiryAttachment]


class InquiryList(Shape):
    """A page of inquiries."""

    object: Literal["list"]
    has_more: bool
    data: list[Inquiry]


_INQUIRY: dict[str, Any] = {
    "object": "inquiry",
    "id": _ID,
    "settlement_id": "stl_019a8f2e6c1f7d3e9b6a2d4c5e6f7082",
    "asked_of": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "question": "Which contract does this invoice belong to?",
    "due_date": "2026-12-04",
    "state": "ANSWERED",
    "version": 2,
    "asked_by": "compliance:per_019a8f2e5a0b7c1d8e2f3a4b5c6d7e90",
    "created_at": "2026-11-30T09:30:00.000000Z",
    "closed_by": None,
    "closed_at": None,
}
_DETAIL = {
    **_INQUIRY,
    "thread": [
        {
            "move": "ask",
            "state": "OPEN",
            "author": _INQUIRY["asked_by"],
            "words": _INQUIRY["question"],
            "at": "2026-11-30T09:30:00.000000Z",
        },
        {
            "move": "answer",
            "state": "ANSWERED",
            "author": "exporter:stk_0123456789ab",
            "words": "Contract 2026-118, attached.",
            "at": "2026-12-01T08:00:00.000000Z",
        },
    ],
    "attachments": [
        {
            "id": "ina_019a8f2e6c1f7d3e9b6a2d4c5e6f7083",
            "kind": "contract",
            "filename": "contract-118.pdf",
            "media_type": "application/pdf",
            "sha256": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
            "byte_count": 48_211,
            "added_by": "exporter:stk_0123456789ab",
            "at": "2026-12-01T08:00:00.000000Z",
        }
    ],
}
_FILE = {
    "kind": "contract",
    "filename": "contract-118.pdf",
    "media_type": "application/pdf",
    "content": "JVBERi0xLjcK",
}
_ASKED = {name: _INQUIRY[name] for name in ("settlement_id", "asked_of", "question", "due_date")}
_AGAIN = {"question": "And who transports the goods?", "due_date": "2026-12-11"}
_PATH = "/v1/inquiries/{inquiry_id}"

COMMANDS = (
    CommandRoute(
        "/v1/inquiries",
        inquiries.plan_ask,
        "Ask for information about a payment",
        body_of(inquiries.AskBody, {"ask": _ASKED}),
        InquiryDetail,
        {**_DETAIL, "state": "OPEN", "thread": _DETAIL["thread"][:1], "attachments": []},
        status=201,
        tag="inquiries",
    ),
    CommandRoute(
        f"{_PATH}/answer",
        inquiries.plan_answer,
        "Answer a request for information",
        body_of(
            inquiries.AnswerBody,
            {"answer": {"words": "Contract 2026-118, attached.", "attachments": [_FILE]}},
        ),
        InquiryDetail,
        _DETAIL,
        tag="inquiries",
    ),
    CommandRoute(
        f"{_PATH}/ask-again",
        inquiries.plan_ask_again,
        "Ask on, with a new date",
        body_of(inquiries.AskAgainBody, {"ask": _AGAIN}),
        InquiryDetail,
        {**_DETAIL, "state": "OPEN"},
        tag="inquiries",
    ),
    CommandRoute(
        f"{_PATH}/accept",
        inquiries.plan_accept,
        "Accept an answer",
        body_of(inquiries.AcceptBody, {"accept": {}}, is_required=False),
        InquiryDetail,
        {**_DETAIL, "state": "ACCEPTED"},
        tag="inquiries",
    ),
    CommandRoute(
        f"{_PATH}/cancel",
        inquiries.plan_cancel,
        "Cancel a request for information",
        body_of(inquiries.CancelBody, {"cancel": {"reason": "asked of the wrong party"}}),
        InquiryDetail,
        {**_DETAIL, "state": "CANCELLED"},
        tag="inquiries",
    ),
)
QUERIES = (
    QueryRoute(
        "/v1/inquiries",
        inquiries.list_inquiries,
        "List requests for information",
        InquiryList,
        {"object": "list", "has_more": False, "data": [_INQUIRY]},
        tag="inquiries",
    ),
    QueryRoute(
        _PATH,
        inquiries.get_inquiry,
        "Show a request for information",
        InquiryDetail,
        _DETAIL,
        tag="inquiries",
    ),
    QueryRoute(
        f"{_PATH}/attachments/{{attachment_id}}",
        inquiries.get_attachment,
        "Get a file of an answer",
        None,
        "%PDF-1.7 …",
        tag="inquiries",
        media_type=MEDIA_TYPES[0],
        other_media_types=MEDIA_TYPES[1:],
    ),
)
