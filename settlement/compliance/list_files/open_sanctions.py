"""OpenSanctions: entities as FollowTheMoney in JSON lines, and targets.simple.csv.

Source: opensanctions.org, "Bulk data"; FollowTheMoney's schemata.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from settlement.compliance.list_files.countries import country_code
from settlement.compliance.list_files.record import FileFault, Link, Party, whole
from settlement.compliance.list_files.tables import named_rows

CSV_COLUMNS = ("id", "schema", "name", "aliases")
_KINDS = {
    "Person": "person", "Company": "organization", "Organization": "organization",
    "LegalEntity": "unknown", "PublicBody": "organization", "Vessel": "vessel",
    "Airplane": "aircraft",
}  # fmt: skip
_IDENTIFIERS = {
    "imoNumber": "imo", "swiftBic": "bic", "leiCode": "lei", "passportNumber": "passport",
    "idNumber": "national id", "taxNumber": "tax id", "innCode": "tax id", "vatCode": "tax id",
    "registrationNumber": "registration", "ogrnCode": "registration", "publicKey": "wallet",
    "uscCode": "tax id",
}  # fmt: skip
_COUNTRIES = ("country", "nationality", "citizenship", "jurisdiction", "mainCountry", "flag")
_EDGES = {
    "Ownership": ("owner", "asset", "owned_by"), "Directorship": ("director", "organization",
    "directed_by"), "UnknownLink": ("subject", "object", "linked_to"),
}  # fmt: skip
_LISTED = ("sanction", "sanction.linked", "debarment")
_BY_FORM = (
    (re.compile("[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?"), "bic"),
    (re.compile("[A-Z0-9]{18}[0-9]{2}"), "lei"),
    (re.compile("IMO ?[0-9]{7}"), "imo"),
)
"""What a code among others can only be."""
_SHARE = re.compile(r"(?P<whole>[0-9]{1,3})(?:\.(?P<rest>[0-9]*))?")


class _Entity(NamedTuple):
    """What a line says, and where it stands."""

    line: int
    key: str
    schema: str
    captions: Sequence[str]
    is_target: bool
    said: Mapping[str, Any]

    def texts(self, field: str) -> Sequence[str]:
        """Return what it says under a name; null is nothing, a single text a list of one.

        Raises:
            FileFault: it says something else than texts.
        """
        value = self.said.get(field)
        return () if value is None else _texts(value, field, self.line)

    @property
    def is_listed(self) -> bool:
        """Whether it is listed itself, not only spoken of."""
        topics = self.texts("topics")  # Looked at in any case: what is no text is refused.
        return self.is_target or any(topic in _LISTED for topic in topics)


def read_ftm(text: str) -> list[Party]:
    """Return the entities that are listed, with wallets and owners that other lines give them.

    A listed wallet that no listed party holds is a party of its own.

    Raises:
        FileFault: a line is no entity, says something else than texts, or lists one anew.
    """
    parties: dict[str, Party] = {}
    lines: dict[str, int] = {}
    wallets: list[_Entity] = []
    edges: list[_Entity] = []
    # Not by splitlines(): a text in JSON may hold what else Unicode ends a line with.
    for line, raw in enumerate(text.split("\n"), start=1):
        if not raw.strip():
            continue
        entity = _entity(raw, line)
        if entity.schema == "CryptoWallet":
            wallets.append(entity)
        elif entity.schema in _EDGES:
            edges.append(entity)
        elif entity.schema in _KINDS and entity.is_listed:
            _take_in(parties, lines, entity)
    # Who holds is looked up among the others, before a wallet becomes a party.
    held = [(each, [key for key in each.texts("holder") if key in parties]) for each in wallets]
    for wallet, holders in held:
        for holder in holders:
            for address in wallet.texts("publicKey"):
                parties[holder].identified("wallet", address)
        if wallet.is_listed and not holders:
            _take_in(parties, lines, wallet)
    for edge in edges:
        _link(parties, edge)
    return whole(parties.values())


def _take_in(parties: dict[str, Party], lines: dict[str, int], entity: _Entity) -> None:
    """Add a listed party. Two of one id are refused: which of them is true, no file says."""
    if entity.key in parties:
        raise FileFault(
            f"entity {entity.key} is there twice, first in line {lines[entity.key]}",
            line=entity.line,
            repair="download the file again, or leave one of the two lines out",
        )
    parties[entity.key], lines[entity.key] = _party(entity), entity.line


def _entity(raw: str, line: int) -> _Entity:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise FileFault(
            f"no JSON: {error}", line=line, repair="download the file again: a line broke off"
        ) from error
    if (
        not isinstance(found, dict)
        or not isinstance(found.get("id"), str)
        or not found["id"]
        or not isinstance(found.get("schema"), str)
        or not isinstance(found.get("properties"), dict)
    ):
        raise FileFault(
            "no entity: it needs id, schema and properties",
            line=line,
            repair="give entities.ftm.json, with an entity a line",
        )
    (key,) = _texts(found["id"], "id", line)
    captions = _texts(found.get("caption"), "caption", line)
    return _Entity(
        line, key, found["schema"], captions, bool(found.get("target")),
        found["properties"],
    )  # fmt: skip


def _texts(value: Any, field: str, line: int) -> Sequence[str]:
    texts = []
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str) and "\0" not in each:
            texts.append(each)
        elif each is not None:
            raise FileFault(
                f"{field} is neither a text nor a list of texts",
                line=line,
                repair="give entities.ftm.json as it was downloaded",
            )
    return texts


def _party(entity: _Entity) -> Party:
    party = Party(entity.key, _KINDS.get(entity.schema, "unknown"))
    for caption in entity.captions:
        party.called(caption, "main")
    for names, kind in (("name", "strong"), ("alias", "strong"), ("previousName", "strong"),
                        ("weakAlias", "weak"), ("abbreviation", "weak")):  # fmt: skip
        for name in entity.texts(names):
            party.called(name, "main" if kind == "strong" and not party.names else kind)
    for words, kind in _IDENTIFIERS.items():
        for value in entity.texts(words):
            party.identified(kind, value)
    for words in _COUNTRIES:
        for value in entity.texts(words):
            if code := country_code(value):
                party.countries[code] = None
    for value in entity.texts("birthDate"):
        party.born(value)
    for value in entity.texts("program"):
        party.programs[value] = None
    for value in entity.texts("notes")[:20]:
        party.remarked(value)
    return party


def _link(parties: Mapping[str, Party], edge: _Entity) -> None:
    owner, asset, relation = _EDGES[edge.schema]
    share = _share(edge.texts("percentage"))
    for owned in edge.texts(asset):
        for by in edge.texts(owner):
            if owned in parties:
                parties[owned].links[Link(relation, by, share)] = None
            elif by in parties:
                parties[by].links[Link(f"{relation} of", owned, share)] = None


def _share(percentages: Sequence[str]) -> int | None:
    """Return a share such as `50`, `50.1` or `50.1 %` in basis points."""
    text = next(iter(percentages), "").strip(" %").replace(",", ".")
    found = _SHARE.fullmatch(text)
    if not found:
        return None
    share = int(found["whole"]) * 100 + int(((found["rest"] or "") + "00")[:2])
    return share if share <= 10_000 else None


def read_targets(text: str) -> list[Party]:
    """Return the parties of targets.simple.csv. Raises FileFault where a row breaks off."""
    parties: dict[str, Party] = {}
    for line, row in named_rows(text, delimiter=",", needed=CSV_COLUMNS):
        if not row["id"] or row["id"] in parties:
            raise FileFault(f"target {row['id'] or 'without id'} is there twice", line=line)
        if row["schema"] not in _KINDS and row["schema"] != "CryptoWallet":
            continue
        party = Party(row["id"], _KINDS.get(row["schema"], "unknown"))
        party.called(row["name"], "main")
        for name in _cells(row["aliases"]):
            party.called(name, "strong")
        for value in row.get("birth_date", "").split(";"):
            party.born(value)
        for value in row.get("countries", "").split(";"):
            if code := country_code(value):
                party.countries[code] = None
        for value in _cells(row.get("identifiers", "")):
            party.identified(_kind(value, row["schema"]), value)
        if row["schema"] == "CryptoWallet":
            party.identified("wallet", row["name"])
        for value in row.get("program_ids", row.get("sanctions", "")).split(";"):
            if value:
                party.programs[value.strip()] = None
        parties[party.key] = party
    return whole(parties.values())


def _cells(cell: str) -> list[str]:
    """Return what a cell lists; what has a semicolon in itself stands in quotes."""
    return [each.strip(' "') for each in next(csv.reader([cell], delimiter=";"), [])]


def _kind(value: str, schema: str) -> str:
    """Return what kind of number an identifier is, by its schema or its form."""
    if schema == "CryptoWallet":
        return "wallet"
    return next((kind for form, kind in _BY_FORM if form.fullmatch(value)), "id")
