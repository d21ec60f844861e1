"""The demo's compliance officer: a limit that refuses, a question that holds, what is supervised.

Knows no rule: what the gateway answers is what the demo believes.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from gateway.demo.daybook import DayFailed
from gateway.demo.doors import Doors

_CONTRACT = b"%PDF-1.4\n% contract 2026-118, signed by both parties\n"
_ANSWER_DAYS = 5


@dataclass(frozen=True, slots=True)
class Oversight:
    """What compliance and the overseer do at the doors."""

    doors: Doors

    def refuse_over_a_limit(self, orders: list[dict[str, str]], asset: str) -> dict[str, Any]:
        """Let a limit of next to nothing be agreed on, see it refuse, and let it be retired.

        Raises:
            DayFailed: it did not refuse.
        """
        wanted = {
            "name": "a corridor under review", "asset": asset, "max": "0.01",
            "period": "payment", "counted_by": "rule", "reason": "the corridor is under review",
        }  # fmt: skip
        limit = self._agreed("/v1/limits", wanted)
        refused = self.doors.post("treasury", "/v1/settlements", {"settlements": orders})
        if refused.status != 409 or limit not in str(refused.body):
            raise DayFailed(f"a limit of 0.01 was answered with {refused.status} {refused.body}")
        self._agreed(f"/v1/limits/{limit}/retire", {"reason": "the review has ended"})
        return {"limit": limit, "refused": refused.body["detail"]}

    def ask(self, settlement: dict[str, Any], *, exporter: str, today: date) -> dict[str, Any]:
        """Ask the creditor about a payment; it is held until the answer is accepted.

        Raises:
            DayFailed: the payment was not held, or not let go.
        """
        key = settlement["id"]
        question = {
            "settlement_id": key, "asked_of": settlement["creditor_id"],
            "question": "Which contract does this invoice belong to?",
            "due_date": (today + timedelta(days=_ANSWER_DAYS)).isoformat(),
        }  # fmt: skip
        asked = self.doors.must_post("compliance", "/v1/inquiries", question)
        held = self.doors.get("treasury", f"/v1/settlements/{key}")["state"]
        path = f"/v1/inquiries/{asked['id']}"
        file = {
            "kind": "contract", "filename": "contract-118.pdf", "media_type": "application/pdf",
            "content": base64.b64encode(_CONTRACT).decode(),
        }  # fmt: skip
        answer = {"words": "Contract 2026-118, attached.", "attachments": [file]}
        self.doors.must_post(exporter, f"{path}/answer", answer)
        accepted = self.doors.must_post("compliance", f"{path}/accept")
        released = self.doors.get("treasury", f"/v1/settlements/{key}")["state"]
        if (held, released) != ("HELD", "INSTRUCTED"):
            raise DayFailed(f"a question left its payment {held}, and then {released}")
        return {"inquiry": asked["id"], "state": accepted["state"], "held": True}

    def block(self, settle_down: Callable[[], None], say: Callable[[str], None]) -> dict[str, Any]:
        """Put the payee's wallet of a held payment on a list and release it: it is blocked.

        Raises:
            DayFailed: it was not, or nobody has to report it.
        """
        held = self.doors.get("treasury", "/v1/settlements?state=HELD&limit=1")["data"][0]
        key, wallet = held["id"], held["creditor_wallet"]
        listed = self.doors.post(
            "compliance", "/v1/lists/court-orders", f"{wallet}\n".encode(), media_type="text/csv"
        )
        if not listed.ok:
            raise DayFailed(f"the list was refused: {listed.body}")
        self.doors.must_post("treasury", f"/v1/settlements/{key}/release")
        settle_down()
        rows = self.doors.get("overseer", "/v1/supervision/blocked?limit=100")["data"]
        found = next((row for row in rows if row["settlement_id"] == key), None)
        if found is None or not found["report_due_date"]:
            raise DayFailed(f"{key} should be blocked, with a report that is due: {found}")
        why = str(found["found"]).partition(";")[0]
        say(f"blocked: {why}; to be reported by {found['report_due_date']}")
        told = ("settlement_id", "state", "found", "report_id", "report_due_date")
        return {name: found[name] for name in told}

    def supervised(self, say: Callable[[str], None]) -> dict[str, int]:
        """Return how many rows the overseer sees in each view of today."""
        views = ("transactions", "blocked", "rejected", "participants", "holdings", "policies")
        found = {}
        for view in views:
            page = self.doors.get("overseer", f"/v1/supervision/{view}?limit=1000")
            found[view] = len(page["data"])
        if not found["participants"] or not found["holdings"]:
            raise DayFailed(f"the overseer sees next to nothing: {found}")
        say(f"flagged payments that the overseer sees today: {found['transactions']}")
        return found

    def _agreed(self, path: str, wanted: dict[str, Any]) -> str:
        """Ask as compliance and approve as the approver; return the limit's id."""
        asked = self.doors.must_post("compliance", path, wanted)
        seen = {"what_hash": asked["what_hash"]}
        self.doors.must_post("approver", f"/v1/approvals/{asked['approval_id']}/approve", seen)
        return str(asked["limit_id"])
