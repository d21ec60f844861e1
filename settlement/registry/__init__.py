"""What wallets are to be on the rail and on its tokens, and what the chain says that they are.

Whoever decides on a wallet says so by `want`; the admin's lane makes the chain follow.
"""

from settlement.registry.observing import observe
from settlement.registry.restrictions import Restriction, restrictions
from settlement.registry.standing import Source, Standing
from settlement.registry.wishes import want

__all__ = ["Restriction", "Source", "Standing", "observe", "restrictions", "want"]
