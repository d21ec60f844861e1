"""What the Transfer logs add up to, kept for the tie-out."""

from sqlmodel import SQLModel

from settlement.tables.columns import KEYED, big, text


class TransferSum(SQLModel, table=True):
    """All that an address received and paid of a token, up to a final block, by its Transfer logs.

    Derived: the logs alone are the truth. The zero address receives burns and pays mints. Each sum
    is in two halves, high times 2^32 plus low: it may grow past 63 bits, a balance does not.
    """

    __tablename__ = "transfer_sum"
    __table_args__ = (KEYED,)
    token: str = text(primary_key=True)
    holder: str = text(primary_key=True)
    received_high: int = big()
    received_low: int = big()
    paid_high: int = big()
    paid_low: int = big()
