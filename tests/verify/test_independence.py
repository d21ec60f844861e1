"""The checker shares no code with what it checks: its imports are read, and it is run alone."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import settlement.verify
from settlement import states
from settlement.chain import rail_abi
from settlement.chain.port import Address, Hash
from settlement.chain.signing import read_signed, sign_eip1559
from settlement.clock import counted_ids, uuid_bytes
from settlement.invoices.moves import _ANNOUNCED as INVOICES_ANNOUNCED
from settlement.settlements.moves import ANNOUNCED
from settlement.tables import APPEND_ONLY
from settlement.verify import journal, moves, signed, told, words
from tests.builders.other_programs import KINDS, signed_by_another_program
from tests.verify.conftest import Patient

VERIFY = Path(settlement.verify.__file__).parent
OURS = ("settlement", "gateway", "tests", "scripts")


def foreign(source: str) -> list[str]:
    """Return the imports of ours that are not the checker's own."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append("." * node.level + (node.module or ""))
    return [
        name
        for name in names
        if name.startswith(".")
        or (name.partition(".")[0] in OURS and not f"{name}.".startswith("settlement.verify."))
    ]


def test_the_checker_imports_nothing_of_ours() -> None:
    found = {path.name: foreign(path.read_text()) for path in VERIFY.rglob("*.py")}

    assert len(found) > 10
    assert not any(found.values()), found


def test_an_import_of_ours_would_be_noticed() -> None:
    assert foreign("from settlement.states import SettlementState") == ["settlement.states"]
    assert foreign("import settlement.money") == ["settlement.money"]
    assert foreign("def f():\n    from gateway import wiring") == ["gateway"]
    assert foreign("from settlement.verify import words") == []


def test_the_checker_runs_where_nothing_else_of_ours_is(patient: Patient, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(VERIFY, alone / "settlement" / "verify")
    (alone / "settlement" / "__init__.py").touch()

    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1));"
        "from settlement.verify.__main__ import main;"
        "code = main();"
        "ours = [name for name in sys.modules if name.split('.')[0] in ('settlement', 'gateway')"
        " and not (name + '.').startswith(('settlement.verify.', 'settlement.__'))];"
        "print(ours, file=sys.stderr);"
        "sys.exit(code)"
    )
    both = ["--database", patient.url, "--rpc", patient.node.url]
    done = subprocess.run(
        [sys.executable, "-c", program, str(alone), *both],
        capture_output=True, text=True, check=False, cwd=alone,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.strip() == "['settlement']"
    assert "21 of 21 hold" in done.stdout


def test_the_copy_of_the_state_tables_is_true() -> None:
    for noun, table in (
        ("invoice", states.INVOICE_MOVES),
        ("settlement", states.SETTLEMENT_MOVES),
        ("chain_tx", states.CHAIN_TX_MOVES),
        ("participant", states.PARTICIPANT_MOVES),
    ):
        ours = {(start.value, move): end.value for (start, move), end in table.items()}
        assert moves.TABLES[noun] == ours


def test_the_copy_of_what_is_announced_is_true() -> None:
    assert told.SETTLEMENT == ANNOUNCED
    assert all(told.INVOICE[move] == kind for move, kind in INVOICES_ANNOUNCED.items())
    assert sorted(journal.APPEND_ONLY) == sorted(APPEND_ONLY)


def test_both_read_the_same_from_signed_bytes() -> None:
    raw, _ = sign_eip1559(
        b"\x17" * 32, chain_id=31337, nonce=300, to=Address("0x" + "ab" * 20), data=b"\5" * 700,
        gas_limit=90_000, max_fee_wei=10**11, max_priority_fee_wei=10**9,
    )  # fmt: skip

    said = signed.read(raw)

    assert said == (31337, 300, 10**9, 10**11, "0x" + "ab" * 20, 0, b"\5" * 700)
    assert signed.read(raw[:-1]) is None
    assert signed.read(b"\1" + raw[1:]) is None


@pytest.mark.parametrize("kind", KINDS)
def test_both_read_the_same_from_what_other_programs_sign(kind: str) -> None:
    raw = signed_by_another_program(b"\x17" * 32, kind, to="0x" + "ab" * 20, nonce=3, data=b"\5")

    ours, said = read_signed(raw), signed.read(raw)

    assert said == (
        ours.chain_id, 3, ours.max_priority_fee_wei, ours.max_fee_wei, "0x" + "ab" * 20, 0, b"\5",
    )  # fmt: skip
    assert signed.read(raw[:-1]) is None


def test_both_compute_the_same_reference_and_read_the_same_call() -> None:
    settlement_id = counted_ids(77)("stl")
    rail, token, debtor, creditor = (Address(f"0x{n:040x}") for n in (0xA, 0xB, 0xC, 0xD))
    reference = rail_abi.payment_reference(
        rail_abi.reference_prefix(chain_id=31337, rail=rail, token=token, debtor=debtor),
        sequence=9,
        creditor=creditor,
        amount_minor=2**62,
        document_hash="ef" * 32,
        settlement_uuid=uuid_bytes(settlement_id),
    )
    calldata = rail_abi.settle_calldata(
        token=token,
        debtor=debtor,
        deadline=1_800_000_000,
        payments=[
            rail_abi.PaymentTerms(12, creditor, 5, Hash("0x" + "12" * 32)),
            rail_abi.PaymentTerms(9, creditor, 2**62, reference),
        ],
    )

    call = words.settle_call(calldata)

    assert reference == words.reference(
        chain_id=31337, rail=rail, token=token, debtor=debtor, sequence=9, creditor=creditor,
        amount=2**62, document_sha256="ef" * 32, settlement_id=settlement_id,
    )  # fmt: skip
    assert call is not None
    assert (call.token, call.debtor, call.deadline) == (token, debtor, 1_800_000_000)
    assert call.payments == (
        (12, creditor, 5, "0x" + "12" * 32),
        (9, creditor, 2**62, reference),
    )


def test_a_call_that_is_no_batch_is_read_as_none() -> None:
    assert words.settle_call(b"") is None
    assert words.settle_call(bytes.fromhex(words.SETTLE[2:]) + b"\0" * 32) is None
    assert words.settle_call(b"\1\2\3\4" + b"\0" * 224) is None
