"""OpenSanctions: entities as FollowTheMoney in JSON lines, and targets.simple.csv.

Source: opensanctions.org, "Bulk data"; FollowTheMoney's schemata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
}  # fmt: skip
_COUNTRIES = ("country", "nationality", "citizenship", "jurisdiction", "mainCountry", "flag")
_EDGES = {
    "Ownership": ("owner", "asset", "owned_by"), "Directorship": ("director", "organization",
    "directed_by"), "UnknownLink": ("subject", "object", "linked_to"),
}  # fmt: skip
_LISTED = ("sanction", "sanction.linked", "debarment")


def read_ftm(text: str) -> list[Party]:
    """Return the entities that are listed, with wallets and owners that other lines give them.

    Raises:
        FileFault: a line is no entity.
    """
    parties: dict[str, Party] = {}
    wallets: list[Mapping[str, Any]] = []
    edges: list[tuple[str, Mapping[str, Any]]] = []
    for line, raw in enumerate(text.splitlines(), start=1):
        if not raw.strip():
            continue
        entity = _entity(raw, line)
        schema, said = entity["schema"], entity["properties"]
        if schema == "CryptoWallet":
            wallets.append(said)
        elif schema in _EDGES:
            edges.append((schema, said))
        elif schema in _KINDS and _is_listed(entity):
            parties[entity["id"]] = _party(
                entity["id"], schema, said, str(entity.get("caption", ""))
            )
    for said in wallets:
        for holder in said.get("holder", ()):
            for address in said.get("publicKey", ()):
                if holder in parties:
                    parties[holder].identified("wallet", str(address))
    for schema, said in edges:
        _link(parties, schema, said)
    return whole(parties.values())


def _entity(raw: str, line: int) -> Mapping[str, Any]:
    try:
        entity = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise FileFault(
            f"no JSON: {error}", line=line, repair="download the file again: a line broke off"
        ) from error
    if (
        not isinstance(entity, dict)
        or not isinstance(entity.get("id"), str)
        or not isinstance(entity.get("schema"), str)
        or not isinstance(entity.get("properties"), dict)
    ):
        raise FileFault(
            "no entity: it needs id, schema and properties",
            line=line,
            repair="give entities.ftm.json, with an entity a line",
        )
    return entity


def _is_listed(entity: Mapping[str, Any]) -> bool:
    topics = entity["properties"].get("topics", ())
    return bool(entity.get("target")) or any(topic in _LISTED for topic in topics)


def _party(key: str, schema: str, said: Mapping[str, Any], caption: str) -> Party:
    party = Party(key, _KINDS[schema])
    party.called(caption, "main")
    for names, kind in (("name", "strong"), ("alias", "strong"), ("previousName", "strong"),
                        ("weakAlias", "weak"), ("abbreviation", "weak")):  # fmt: skip
        for name in said.get(names, ()):
            party.called(str(name), "main" if kind == "strong" and not party.names else kind)
    for words, kind in _IDENTIFIERS.items():
        for value in said.get(words, ()):
            party.identified(kind, str(value))
    for words in _COUNTRIES:
        for value in said.get(words, ()):
            if code := country_code(str(value)):
                party.countries[code] = None
    for value in said.get("birthDate", ()):
        party.born(str(value))
    for value in said.get("program", ()):
        party.programs[str(value)] = None
    for value in said.get("notes", ())[:20]:
        party.remarked(str(value))
    return party


def _link(parties: Mapping[str, Party], schema: str, said: Mapping[str, Any]) -> None:
    owner, asset, relation = _EDGES[schema]
    for owned in said.get(asset, ()):
        for by in said.get(owner, ()):
            if owned in parties:
                parties[owned].links[Link(relation, str(by), _share(said))] = None
            elif by in parties:
                parties[by].links[Link(f"{relation} of", str(owned), _share(said))] = None


def _share(said: Mapping[str, Any]) -> int | None:
    """Return a share such as `50`, `50.1` or `50.1 %` in basis points."""
    text = str(next(iter(said.get("percentage", ())), "")).strip(" %").replace(",", ".")
    whole_part, _, rest = text.partition(".")
    if not whole_part.isdigit() or (rest and not rest.isdigit()):
        return None
    share = int(whole_part) * 100 + int((rest + "00")[:2])
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
        for name in row["aliases"].split(";"):
            party.called(name.strip(' "'), "strong")
        for value in row.get("birth_date", "").split(";"):
            party.born(value)
        for value in row.get("countries", "").split(";"):
            if code := country_code(value):
                party.countries[code] = None
        kind = "wallet" if row["schema"] == "CryptoWallet" else "id"
        for value in row.get("identifiers", "").split(";"):
            party.identified(kind, value.strip(' "'))
        if row["schema"] == "CryptoWallet":
            party.identified("wallet", row["name"])
        for value in row.get("program_ids", row.get("sanctions", "")).split(";"):
            if value:
                party.programs[value.strip()] = None
        parties[party.key] = party
    return whole(parties.values())
