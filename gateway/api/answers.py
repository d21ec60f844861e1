"""What queries are given, and the response that they return: JSON, encoded once."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import Depends, Request
from starlette.responses import Response

from gateway.auth import Caller
from gateway.context import Gateway


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["caller"]
    return caller


TheGateway = Annotated[Gateway, Depends(_gateway)]
TheCaller = Annotated[Caller, Depends(_caller)]


def json_answer(value: Any, status: int = 200) -> Response:
    """Return a JSON response."""
    return Response(orjson.dumps(value), status, media_type="application/json")


def as_file(name: str, media_type: str) -> str:
    """Return the Content-Disposition of a file under a name of ours, with its type's ending."""
    return f'attachment; filename="{name}{_ENDINGS.get(media_type, "")}"'


_ENDINGS = {
    "application/json": ".json",
    "application/pdf": ".pdf",
    "application/xml": ".xml",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "text/plain": ".txt",
}
