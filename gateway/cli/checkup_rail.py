"""What `settle doctor` asks the rail's contract: whether it takes payments from our operators.

Changes nothing; what is wrong the registrar puts right.
"""

from __future__ import annotations

from sqlalchemy import Engine

from gateway.cli.checkup_records import Finding, Health
from settlement import participants
from settlement.chain.admin_abi import IS_OPERATOR, PAUSED, TOKEN_KIND
from settlement.chain.port import Address, ChainPort
from settlement.chain.rail_abi import address_word
from settlement.errors import ChainUnreachable, NotFound
from settlement.participants.deployments import tokens
from settlement.sender import lanes
from settlement.store import reading


def rail_takes(engine: Engine, chain: ChainPort) -> Finding:
    """Whether every batch of ours would be taken, or why each of them would revert as a whole."""
    with reading(engine) as session:
        try:
            rail = participants.deployment(session).rail
        except NotFound:
            return Finding("rail", Health.SKIPPED, "none is recorded in this database yet")
        listed = tokens(session)
        signers = [
            each.signer
            for each in lanes.listed(session)
            if each.kind == lanes.OPERATOR and each.state != "drained"
        ]
    asked = [(rail, PAUSED)]
    asked += [(rail, IS_OPERATOR + address_word(Address(signer))) for signer in signers]
    asked += [(rail, TOKEN_KIND + address_word(token.address)) for token in listed]
    try:
        paused, *others = (int(answer, 16) for answer in chain.call_many(asked))
    except (ChainUnreachable, ValueError) as error:
        return Finding("rail", Health.ILL, f"it does not answer: {error}", "see the node")
    faults = ["it is paused"] if paused else []
    for signer, known in zip(signers, others, strict=False):
        faults += [] if known else [f"{signer} is no operator of it"]
    for token, kind in zip(listed, others[len(signers) :], strict=True):
        faults += [] if kind else [f"{token.symbol} is not listed on it"]
    if faults:
        repair = "its owner has to change that; release what is HELD since, then it is paid"
        return Finding(
            "rail", Health.ILL, f"it does not take our batches: {', '.join(faults)}", repair
        )
    return Finding("rail", Health.WELL, f"not paused, knows {len(signers)} operators of ours")
