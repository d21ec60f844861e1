"""The routes of lists and hits, with an example of each."""

from __future__ import annotations

from typing import Any

from gateway.api import screening
from gateway.api import screening_shapes as shapes
from gateway.api.operation import BodyShape, CommandRoute, QueryRoute, body_of

_HIT_ID = "hit_019a8f2e6c1f7d3e9b6a2d4c5e6f7081"
_VERSION_ID = "lst_019a8f2e6c1f7d3e9b6a2d4c5e6f7080"
_AT = "2026-11-30T09:30:00.000000Z"
_STATS = {
    "parties": 7379, "names": 19076, "strong_names": 9675, "weak_names": 2022, "addresses": 9474,
    "identifiers": 4115, "wallets": 2, "links": 2405,
}  # fmt: skip
_VERSION: dict[str, Any] = {
    "object": "list_version", "id": _VERSION_ID, "name": "ofac", "format": "ofac-csv",
    "sha256": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
    "parties": 7379, "stats": _STATS, "loaded_by": "compliance:stk_0123456789ab",
    "created_at": _AT,
}  # fmt: skip
_LOADED = {
    "object": "list_load", "id": _VERSION_ID, "name": "ofac", "is_new": True,
    "format": "ofac-csv", "stats": _STATS, "added": 12, "changed": 3, "removed": 1,
    "compared": 812, "hits": 1, "payments_stopped": 2, "wallets_unlisted": 1,
}  # fmt: skip
_ENTRY = {"entry_key": "102", "name": "ORLOVSKY, Maksim Petrovich"}
_DIFF = {
    "object": "list_diff", "name": "ofac", "version_id": _VERSION_ID,
    "counts": {"added": 1, "changed": 0, "removed": 0}, "added": [_ENTRY], "changed": [],
    "removed": [],
}  # fmt: skip
_PARTS = {
    "name": 97, "entry_name": "strong", "only_ours": [], "only_listed": [],
    "words": [["brightwater", "brightwatter", 90]], "evidence": {"country": 3},
}  # fmt: skip
_HIT: dict[str, Any] = {
    "object": "screening_hit", "id": _HIT_ID,
    "participant_id": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f", "subject_kind": "name",
    "subject_key": "9f86d081884c7d65", "subject": "Brightwater GmbH", "list_name": "ofac",
    "entry_key": "101", "entry": "BRIGHTWATTER TRADING", "score": 93, "state": "open",
    "assigned_to": None, "decided_by": None, "decided_at": None, "reason": None,
    "created_at": _AT, "updated_at": _AT,
}  # fmt: skip
_FOUND = {"move": "found", "actor": "rail", "reason": None, "detail": {"score": 93}, "at": _AT}
_DETAIL = {**_HIT, "parts": _PARTS, "history": [_FOUND], "approval_id": None}
_DECIDED = {"decided_by": "compliance:stk_0123456789ab", "decided_at": _AT}
_MATCH = {
    "list_name": "ofac", "entry_key": "101", "kind": "organization",
    "entry": "BRIGHTWATTER TRADING", "score": 93, "parts": _PARTS,
}  # fmt: skip
_FILE = BodyShape(
    schema={
        "type": "string",
        "description": "The file as its publisher gives it: OFAC's CSV (SDN, ALT and ADD one after"
        " another) or SDN.XML, the UN's, EU's or UK's consolidated list, OpenSanctions'"
        " entities.ftm.json or targets.simple.csv, or a name or address a line.",
    },
    examples={"own": "Brightwatter Trading\nAnother Name Ltd\n"},
    other_media_types=("application/xml", "text/csv", "application/octet-stream"),
)
_WHY = {"why": {"reason": "Another company: other country, other register number."}}
_NONE = BodyShape({"type": "object", "additionalProperties": False}, {"all": {}}, (), False)
_ONE = "/v1/screening/hits/{hit_id}"


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "has_more": False, "data": [item]}


COMMANDS = (
    CommandRoute("/v1/lists/{name}", screening.plan_load, "Put a list file in force", _FILE,
                 shapes.ListLoaded, _LOADED, status=201, tag="screening"),
    CommandRoute("/v1/lists/{name}/smaller", screening.plan_load_smaller,
                 "Put a list file in force that lacks much of the last", _FILE,
                 shapes.ListLoaded, _LOADED, status=201, tag="screening"),
    CommandRoute("/v1/lists/{name}/other-format", screening.plan_load_other_format,
                 "Put a list file in force that is in another format than the last", _FILE,
                 shapes.ListLoaded, _LOADED, status=201, tag="screening"),
    CommandRoute("/v1/lists/{name}/other-format/smaller", screening.plan_load_other_format_smaller,
                 "Put a list file in another format in force that lacks much of the last", _FILE,
                 shapes.ListLoaded, _LOADED, status=201, tag="screening"),
    CommandRoute(f"{_ONE}/clear", screening.plan_clear, "Say that a hit is somebody else",
                 body_of(screening.ReasonBody, _WHY), shapes.HitDetail,
                 {**_DETAIL, **_DECIDED, "state": "cleared", **_WHY["why"]}, tag="screening"),
    CommandRoute(f"{_ONE}/confirm", screening.plan_confirm, "Say that a hit is the listed party",
                 body_of(screening.ReasonBody, {"why": {"reason": "Same register number."}}),
                 shapes.HitDetail, {**_DETAIL, **_DECIDED, "state": "confirmed",
                                    "reason": "Same register number."}, tag="screening"),
    CommandRoute(f"{_ONE}/assign", screening.plan_assign, "Say who looks at a hit",
                 body_of(screening.AssignBody, {"whom": {"to": "A. Officer"}}), shapes.HitDetail,
                 {**_DETAIL, "assigned_to": "A. Officer"}, tag="screening"),
    CommandRoute(f"{_ONE}/comment", screening.plan_comment, "Write down what was found of a hit",
                 body_of(screening.CommentBody, {"words": {"comment": "Asked for its register."}}),
                 shapes.HitDetail, _DETAIL, tag="screening"),
    CommandRoute("/v1/screening/rounds", screening.plan_round, "Compare everybody anew", _NONE,
                 shapes.RoundAnswer,
                 {"object": "screening_round", "id": "scr_019a8f2e6c1f7d3e9b6a2d4c5e6f7084",
                  "state": "running"}, tag="screening"),
)  # fmt: skip
QUERIES = (
    QueryRoute("/v1/lists", screening.list_lists, "List the lists in force",
               shapes.ListVersions, _list(_VERSION), tag="screening"),
    QueryRoute("/v1/lists/{name}/diff", screening.get_diff, "Show what a version changed",
               shapes.ListDiff, _DIFF, tag="screening"),
    QueryRoute("/v1/screening/hits", screening.list_hits, "List hits",
               shapes.HitList, _list(_HIT), tag="screening"),
    QueryRoute(_ONE, screening.get_hit, "Show a hit", shapes.HitDetail, _DETAIL, tag="screening"),
    QueryRoute("/v1/screening/check", screening.check, "Compare a name with the lists in force",
               shapes.MatchList, _list(_MATCH), tag="screening"),
)  # fmt: skip
