"""The chain as facts: blocks, receipts and logs, followed through reorgs, with one cursor.

Judges no payment and books nothing: it says what the chain showed, and what is canonical now.
"""

from settlement.watcher.following import Followed, follow
from settlement.watcher.identity import NoDeployment, require_same_chain
from settlement.watcher.position import Tip, final, head
from settlement.watcher.storing import HeadMoved

__all__ = [
    "Followed",
    "HeadMoved",
    "NoDeployment",
    "Tip",
    "final",
    "follow",
    "head",
    "require_same_chain",
]
