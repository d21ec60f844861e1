"""The journal as text that other people's tools accept, and back. Reads; posts nothing."""

from settlement.ledger.exports.beancount_file import beancount
from settlement.ledger.exports.comparing import Compared, Difference, compare
from settlement.ledger.exports.hledger_file import hledger
from settlement.ledger.exports.names import NotExported
from settlement.ledger.exports.reading import FileNotSound, ReadBack, read_back

__all__ = [
    "Compared",
    "Difference",
    "FileNotSound",
    "NotExported",
    "ReadBack",
    "beancount",
    "compare",
    "hledger",
    "read_back",
]
