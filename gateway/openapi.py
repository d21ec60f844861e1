"""The OpenAPI 3.1 document: what FastAPI found out, completed by what it cannot know.

Adds the bodies of commands, the Idempotency-Key, the API key, and a problem to every operation.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway import problems
from gateway.api.operation import BodyShape, CommandRoute
from gateway.problems import Problem
from gateway.statuses import STATUSES

_DESCRIPTION = (
    "Pays trade invoices across borders in tokenised money. Amounts are decimal strings, times are"
    " UTC in ISO 8601, lists go by cursors, and every refusal is a problem (RFC 9457)."
)
_GROUPS = (
    "invoices", "settlements", "approvals", "mandates", "statements", "trace", "events", "parties",
    "bank", "reconciliation", "breaks", "books", "policy", "screening", "inquiries", "travel-rule",
    "limits", "registry", "supervision", "audit", "me", "keys", "people", "operation",
)  # fmt: skip
"""In the order of a payment: pages show them so."""
_ALWAYS = {
    "401": "No API key in force.",
    "403": "The key's role may not do this.",
    "422": "A value is not accepted; `errors` says which, and what to do.",
    "500": "The gateway cannot go on; its log says why.",
    "503": "Try again in a moment.",
    "429": "Too many requests in a minute; Retry-After says when to come again.",
}
_OF_COMMANDS = {
    "400": "No Idempotency-Key, or a body that cannot be read.",
    "409": "What is stored contradicts this, or the first request with this key is in flight.",
    "413": "The body is larger than 10 MB.",
}
_OF_DOCUMENTS = {"415": "No kind of document that is known here."}
_ONE_OF = {"404": "There is no such thing, or it is not the caller's to see."}
_PUBLIC = ("/healthz", "/readyz", "/metrics", "/problems/{name}")
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    "description": "The same key and body get the same answer again, whatever happened between.",
}


def document(app: FastAPI, commands: Sequence[CommandRoute]) -> dict[str, Any]:
    """Return the document, made once."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    schema = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=_DESCRIPTION,
        tags=[{"name": group} for group in _GROUPS],
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    _define(components, Problem.model_json_schema(ref_template=_REF), "Problem")
    schema["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key: `stk_…`."}
    }
    for command in commands:
        _add_body(schema["paths"][command.path]["post"], command, components)
    documents = {command.path for command in commands if command.body.other_media_types}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            more = _OF_DOCUMENTS if path in documents else {}
            _add_problems(path, method, operation, more)
            if path not in _PUBLIC:
                operation["security"] = [{"key": []}]
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    app.openapi_schema = schema
    return schema


_REF = "#/components/schemas/{model}"


def _add_body(operation: dict[str, Any], command: CommandRoute, components: dict[str, Any]) -> None:
    shape: BodyShape = command.body
    schema = _define(components, copy.deepcopy(shape.schema), None)
    examples = {name: {"value": value} for name, value in shape.examples.items()}
    content: dict[str, Any] = {"application/json": {"schema": schema, "examples": examples}}
    for media_type in shape.other_media_types:
        content[media_type] = {
            "schema": {"type": "string", "contentMediaType": media_type},
            "example": f"the bytes of an {media_type} document",
        }
    operation["requestBody"] = {"required": shape.is_required, "content": content}
    names = [part[1:-1] for part in command.path.split("/") if part.startswith("{")]
    path_parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]
    operation["parameters"] = [*path_parameters, _IDEMPOTENCY_KEY]
    answered = operation["responses"][str(command.status)]
    answered["headers"] = {
        "Idempotency-Replayed": {
            "description": "`true`: this answer was given before.",
            "schema": {"type": "string"},
        }
    }


def _add_problems(path: str, method: str, operation: dict[str, Any], more: dict[str, str]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    wanted = _ALWAYS | more
    if path in _PUBLIC:
        wanted = {status: _ALWAYS[status] for status in ("429", "500", "503")}
    if method == "post":
        wanted |= _OF_COMMANDS
    if "{" in path or method == "post":
        wanted |= _ONE_OF
    for status, description in sorted(wanted.items()):
        responses[status] = {
            "description": description,
            "content": {
                problems.MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": _example(int(status), path),
                }
            },
        }


def _example(status: int, path: str) -> dict[str, Any]:
    kind = next(kind for kind, own in STATUSES.items() if own == status)
    return {
        "type": f"/problems/{problems.slug(kind)}",
        "title": problems.title(kind),
        "status": status,
        "detail": (kind.__doc__ or "").partition("\n")[0],
        "instance": path,
        "request_id": "req_019a8f2e6c1f7d3e9b6a2d4c5e6f7081",
        "errors": [],
    }


def _define(components: dict[str, Any], schema: dict[str, Any], name: str | None) -> dict[str, Any]:
    """Move a schema's definitions, and itself if it has a name, to the shared components."""
    for key, value in schema.pop("$defs", {}).items():
        components.setdefault(key, value)
    for part in schema.get("anyOf", []):
        for key, value in part.pop("$defs", {}).items():
            components.setdefault(key, value)
    name = name or schema.get("title")
    if name is None:
        return schema
    components.setdefault(name, schema)
    return {"$ref": _REF.format(model=name)}
