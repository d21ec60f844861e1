"""Comparing those who take part with lists: names, owners, wallets; hits that a person decides."""

from settlement.compliance.screening.comparing import ensure
from settlement.compliance.screening.loading import (
    compared_first,
    make_ready,
    put_in_force,
    store_list,
)
from settlement.compliance.screening.rounds import begin, step

__all__ = ["begin", "compared_first", "ensure", "make_ready", "put_in_force", "step", "store_list"]
