"""Limits: how much may be paid per party, counterparty, corridor and asset in a period.

Reserved when a payment is instructed, given back when it ends unpaid; decides no clearance.
"""

from settlement.compliance.limits.reserving import LimitExceeded, Payment, count, release, take
from settlement.compliance.limits.rules import Limit, active

__all__ = ["Limit", "LimitExceeded", "Payment", "active", "count", "release", "take"]
