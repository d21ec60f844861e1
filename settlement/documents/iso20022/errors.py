"""What an ISO 20022 message is refused for.

Imports nothing heavy: the doors know these classes without ever making a message.
"""

from __future__ import annotations

from settlement.errors import Invalid


class MessageInvalid(Invalid):
    """What was asked for cannot be said in this ISO 20022 message."""
