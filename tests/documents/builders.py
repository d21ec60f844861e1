"""Documents for tests: the shipped ones by name, and small changes to them."""

import copy
import json
import re
from typing import Any

from gateway.demo.documents import shipped
from settlement.documents import intake
from settlement.documents.errors import DocumentRejected
from settlement.documents.json_invoice import EXAMPLE
from settlement.documents.json_reading import read_json
from settlement.documents.model import InvoiceDocument
from settlement.documents.rules_engine import RulesEngine

_SHIPPED = {document.template: document.content for document in shipped()}


def a_document(template: str) -> bytes:
    return _SHIPPED[template]


def an_xml(template: str, *changes: tuple[str, str]) -> bytes:
    """A shipped XML document with every match of each pattern replaced; a pattern has to match."""
    text = _SHIPPED[template].decode()
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text)
        assert count, f"nothing in {template} matches {pattern}"
    return text.encode()


def a_json(**changes: Any) -> dict[str, Any]:
    """The example invoice with top level fields replaced; None takes a field out."""
    plain = copy.deepcopy(EXAMPLE) | changes
    return {name: value for name, value in plain.items() if value is not None}


def at(plain: dict[str, Any], pointer: str) -> tuple[Any, Any]:
    """The container and the last step of a JSON pointer."""
    *steps, last = [int(step) if step.isdigit() else step for step in pointer.strip("/").split("/")]
    for step in steps:
        plain = plain[step]
    return plain, last


def with_value(pointer: str, value: Any) -> dict[str, Any]:
    plain = a_json()
    container, last = at(plain, pointer)
    container[last] = value
    return plain


def json_outcome(plain: Any) -> InvoiceDocument | DocumentRejected:
    content = plain if isinstance(plain, bytes) else json.dumps(plain).encode()
    try:
        return read_json(content)
    except DocumentRejected as refusal:
        return refusal


def outcome(content: bytes, rules: RulesEngine) -> InvoiceDocument | DocumentRejected:
    return intake.read_many([content], engine=rules)[0]


def rule_ids(result: InvoiceDocument | DocumentRejected) -> set[str]:
    if isinstance(result, InvoiceDocument):
        return set()
    return {failure.rule_id for failure in result.failures}
