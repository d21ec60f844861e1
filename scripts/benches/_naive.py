"""The loop that everybody writes first: one invoice, one chain transaction, one receipt.

Knows no batch, no ledger and no database; it has the rail's own contract and signing.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from scripts.benches._world import founded
from settlement.chain.anvil import Anvil
from settlement.chain.signing import sign_eip1559

NAIVE_INVOICES = 200


def naive_rate(*, patient: bool = True) -> float:
    """Return invoices a second of a loop that knows no batch, no ledger and no database.

    Patient: the receipt is asked for every 10 ms after the send. Else also at once.
    """
    from settlement.chain.rail_abi import PaymentTerms, settle_calldata

    with (
        tempfile.TemporaryDirectory(prefix="settle-naive-") as folder,
        Anvil() as anvil,
        founded(Path(folder), anvil.url) as (_, chain, sandbox, operator),
    ):
        token = sandbox.deployment.token("TUSD").address
        debtor, creditor = sandbox.wallets[0].address, sandbox.wallets[1].address
        nonce = chain.nonce(operator.address)
        began = time.perf_counter()
        for number in range(NAIVE_INVOICES):
            payment = PaymentTerms(number, creditor, 10**6, "0x" + f"{number + 1:064x}")
            data = settle_calldata(token=token, debtor=debtor, deadline=2**40, payments=[payment])
            raw, tx_hash = sign_eip1559(
                operator.key, chain_id=31337, nonce=nonce + number,
                to=sandbox.deployment.rail, data=data, gas_limit=500_000,
                max_fee_wei=10**10, max_priority_fee_wei=10**9,
            )  # fmt: skip
            chain.send([raw])
            time.sleep(0.01 if patient else 0)
            while chain.rpc.call("eth_getTransactionReceipt", tx_hash) is None:
                time.sleep(0.01)
        return NAIVE_INVOICES / (time.perf_counter() - began)
