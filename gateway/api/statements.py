"""Statements of accounts and advice of payments over HTTP: files, in the form that is asked for.

Read only. A company gets its own accounts and payments.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from tempfile import SpooledTemporaryFile
from typing import Annotated, BinaryIO, cast
from urllib.parse import quote

from fastapi import Path, Query
from starlette.responses import Response, StreamingResponse

from gateway.api.answers import TheCaller, TheGateway
from gateway.api.operation import QueryRoute
from settlement.statements.advice import AdviceFormat, Side, advice
from settlement.statements.figures import Basis
from settlement.statements.statement import (
    ENDINGS,
    MEDIA_TYPES,
    PAGE_MIN,
    StatementFormat,
    StatementWanted,
    write_statement,
)
from settlement.store import reading

_IN_MEMORY = 1_000_000
_CHUNK = 65_536

_ACCOUNT = Path(description="An account's code, such as `wallet:0x…:TEUR`.", max_length=200)
_DAY = Query(description="A day in UTC; today if it is left out.")
_BASIS = Query(description="Whether booking or value date puts an entry into the day.")
_PAGE_SIZE = Query(
    ge=PAGE_MIN, le=1_000_000, description="Entries of a camt.053; left out: all in one message."
)
_BOM = Query(description="Begin a CSV file with a byte order mark, as some spreadsheets want it.")
_SIDE = Query(description="Whose account a camt.054 is about; a company gets its own side.")
_HEADER = Query(description="Put the message behind its business application header (head.001).")


def get_statement(
    gateway: TheGateway,
    caller: TheCaller,
    account: Annotated[str, _ACCOUNT],
    day: Annotated[date | None, _DAY] = None,
    format: StatementFormat = StatementFormat.CAMT053,
    basis: Annotated[Basis, _BASIS] = Basis.BOOKING,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int | None, _PAGE_SIZE] = None,
    with_bom: Annotated[bool, _BOM] = False,
) -> Response:
    """The statement of an account and a day: opening balance, every movement, closing balance.

    camt053 (application/xml), csv, xlsx or pdf.
    """
    now = gateway.clock()
    wanted = StatementWanted(account, day or now.date(), format, basis, page, page_size, with_bom)
    # Written whole before the first byte leaves: what does not add up is never half sent.
    file = cast(BinaryIO, SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115
    try:
        with reading(gateway.engine) as session:
            write_statement(session, wanted, file, now=now, party=caller.party)
    except BaseException:
        file.close()
        raise
    name = f"{account.replace(':', '-')}-{wanted.day.isoformat()}.{ENDINGS[format]}"
    headers = {"Content-Length": str(file.tell()), **_attached(name)}
    return StreamingResponse(_pieces(file), media_type=MEDIA_TYPES[format], headers=headers)


def get_advice(
    gateway: TheGateway,
    caller: TheCaller,
    settlement_id: str,
    format: AdviceFormat = AdviceFormat.PDF,
    side: Annotated[Side | None, _SIDE] = None,
    with_header: Annotated[bool, _HEADER] = False,
) -> Response:
    """Advice of a payment: a remittance advice for people (pdf) or machines (remt001), a
    notification (camt054), the payment (pacs008) or how far it is (pacs002, pain002).

    What is not final is never called paid: remt001 is given of final payments only, pdf and
    camt054 of booked ones say that they are not final.
    """
    with reading(gateway.engine) as session:
        found = advice(
            session,
            settlement_id,
            format,
            now=gateway.clock(),
            party=caller.party,
            side=side,
            with_header=with_header,
        )
    return Response(found.content, media_type=found.media_type, headers=_attached(found.file_name))


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(_CHUNK):
            yield piece


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}


QUERIES = (
    QueryRoute(
        "/v1/statements/{account}",
        get_statement,
        "Write the statement of an account and a day",
        None,
        '<?xml version="1.0" encoding="UTF-8"?>…',
        tag="statements",
        media_type="application/xml",
        other_media_types=tuple(
            kind.partition(";")[0] for kind in MEDIA_TYPES.values() if kind != "application/xml"
        ),
    ),
    QueryRoute(
        "/v1/settlements/{settlement_id}/advice",
        get_advice,
        "Write an advice of a payment",
        None,
        "%PDF-1.3…",
        tag="statements",
        media_type="application/pdf",
        other_media_types=("application/xml",),
    ),
)
