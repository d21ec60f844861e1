"""Answers as their reader may be told: companies hear nothing of anybody's screening."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session

from gateway.auth import Caller
from settlement.compliance.discretion import discretion


def told(session: Session, caller: Caller, now: datetime, answer: Any) -> Any:
    """Return an answer as it is for staff, without what is not to be told for a company."""
    return answer if caller.party is None else discretion(session, caller.party, now).of(answer)
