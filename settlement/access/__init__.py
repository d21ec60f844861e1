"""Who signs in and calls: roles, people, their keys, and what of them is personal.

Decides about identity only; what a role may do is the gateway's table (`gateway/access.yaml`).
"""

from settlement.access import (
    credentials,
    failures,
    keys,
    one_time_codes,
    passwords,
    people,
    sessions,
)
from settlement.access.roles import CHECKERS, OF_A_COMPANY, Role
from settlement.access.secret_files import PepperDamaged, PepperExposed, open_secret
from settlement.access.vault import PersonErased, Vault, open_vault

__all__ = [
    "CHECKERS",
    "OF_A_COMPANY",
    "PepperDamaged",
    "PepperExposed",
    "PersonErased",
    "Role",
    "Vault",
    "credentials",
    "failures",
    "keys",
    "one_time_codes",
    "open_secret",
    "open_vault",
    "passwords",
    "people",
    "sessions",
]
