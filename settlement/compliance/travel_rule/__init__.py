"""The travel rule: who pays whom, as IVMS 101 says it, kept sealed with the payment it is about.

Sends nothing to anybody: that it was sent or taken is told as an event.
"""

from settlement.compliance.travel_rule.gaps import gaps
from settlement.compliance.travel_rule.keeping import Keeper, attach, keeper_of

__all__ = ["Keeper", "attach", "gaps", "keeper_of"]
