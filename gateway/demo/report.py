"""What the trading day came to: counts, breaks, tie-out per token, gas, and the checker's verdict.

Reads the database and asks the checker's process; changes nothing.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from gateway import wiring
from gateway.demo.daybook import DayBook
from gateway.installation import Installation
from settlement import reconciliation
from settlement.money import format_minor
from settlement.store import reading

_COUNTS = "SELECT state, COUNT(*) FROM settlement GROUP BY state"
_BREAKS = (
    "SELECT kind, COUNT(*) FROM settlement_break WHERE closed_at IS NULL GROUP BY kind ORDER BY 1"
)
_REASONS = "SELECT kind, subject, reason FROM settlement_break WHERE closed_at IS NULL ORDER BY 1"
_REJECTED = "SELECT COUNT(DISTINCT settlement_id) FROM settlement_event WHERE move = 'rejected'"
_CHAIN_TXS = "SELECT COUNT(*) FROM chain_tx"
_MATCHES = "SELECT COUNT(*) FROM settlement_match WHERE live"
_GAS = (
    "SELECT SUM(r.gas_used), (SELECT COUNT(*) FROM settlement WHERE state = 'SETTLED')"
    " FROM chain_tx c JOIN receipt r ON r.tx_hash = c.tx_hash AND r.block_hash = c.block_hash"
)
_DECIMALS = "SELECT symbol, decimals FROM token"


def verdict(running: Installation) -> dict[str, Any]:
    """Run the checker as a process of its own; return its answer.

    Raises:
        RuntimeError: it could not judge; its own words are told.
    """
    ran = subprocess.run(
        [
            sys.executable, "-m", "settlement.verify", "--json", "--quiescent",
            "--database", wiring.database_url(running.settings),
            "--rpc", running.settings.rpc_url,
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"the checker could not judge: {ran.stderr.strip()[-500:]}")
    return dict(json.loads(ran.stdout))


def figures(running: Installation, book: DayBook, *, seconds: float) -> dict[str, Any]:
    """Return everything that `--json` prints."""
    ties = reconciliation.tie_out(running.engine, running.chain, wiring.now())
    with reading(running.engine) as session:
        counts = dict(_rows(session, _COUNTS))
        gas, paid = _rows(session, _GAS)[0]
        decimals = dict(_rows(session, _DECIMALS))
        breaks = dict(_rows(session, _BREAKS))
        reasons = [tuple(row) for row in _rows(session, _REASONS)]
        rejected = _rows(session, _REJECTED)[0][0]
        chain_txs = _rows(session, _CHAIN_TXS)[0][0]
        matches = _rows(session, _MATCHES)[0][0]
    checked = verdict(running)
    return {
        **_common(running, seconds),
        "invoices": book.invoices,
        "credit_notes": book.credit_notes,
        "refused": book.refused,
        "settled": counts.get("SETTLED", 0),
        "held": counts.get("HELD", 0),
        "rejected": rejected,
        "approved_by_second_person": book.approved,
        "oversight": book.oversight,
        "retried": book.retried,
        "matches": matches,
        "breaks": breaks,
        "break_reasons": [f"{kind} {subject}: {reason}" for kind, subject, reason in reasons],
        "bank": book.bank,
        "tie_out": _per_token(ties, decimals),
        "chain_transactions": chain_txs,
        "gas_per_payment": int(gas or 0) // max(int(paid), 1),
        "reorgs": book.reorgs,
        "entries_reversed": book.reversed_payments,
        "invariants": {
            each["name"]: {"ok": each["ok"], "evidence": each.get("evidence")}
            for each in checked["checks"]
        },
        "ok": checked["ok"] is True and ties.ties,
        "stages": book.stages,
    }


def _per_token(ties: reconciliation.TieOut, decimals: dict[str, int]) -> dict[str, Any]:
    """Sum the wallets per token: what the ledger holds, what the chain says, and the difference."""
    found: dict[str, dict[str, Any]] = {}
    for row in ties.rows:
        if not row.subject.startswith("wallet:"):
            continue
        total = found.setdefault(row.unit, {"ledger": 0, "chain": 0, "wallets": 0})
        total["ledger"] += row.ledger_minor
        total["chain"] += row.chain_minor or 0
        total["wallets"] += 1
    return {
        symbol: {
            "block": ties.block_number,
            "ledger": format_minor(total["ledger"], decimals[symbol]),
            "chain": format_minor(total["chain"], decimals[symbol]),
            "difference": format_minor(total["chain"] - total["ledger"], decimals[symbol]),
            "wallets": total["wallets"],
        }
        for symbol, total in sorted(found.items())
    }


def _common(running: Installation, seconds: float) -> dict[str, Any]:
    return {
        "commit": _commit(),
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
            "cpu": platform.processor() or platform.machine(),
        },
        "python": platform.python_version(),
        "anvil": running.chain.rpc.call("web3_clientVersion"),
        "database": running.engine.dialect.name,
        "seconds": round(seconds, 2),
        "rss_mb": round(_resident_mb(), 1),
    }


def _commit() -> str | None:
    """Return the checkout's commit, None where the program was installed without one."""
    ran = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ran.stdout.strip() or None


def _resident_mb() -> float:
    """Return the peak memory of this process and of all below it but the chain's."""
    parents: dict[int, int] = {}
    peaks: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(x.split(":", 1) for x in status.read_text().splitlines() if ":" in x)
        except OSError:
            continue
        pid = int(status.parent.name)
        parents[pid] = int(lines["PPid"])
        if lines["Name"].strip() != "anvil" and "VmHWM" in lines:
            peaks[pid] = int(lines["VmHWM"].split()[0])
    ours, more = {os.getpid()}, {os.getpid()}
    while more:
        more = {pid for pid, parent in parents.items() if parent in ours} - ours
        ours |= more
    return sum(peaks.get(pid, 0) for pid in ours) / 1024


def _rows(session: Session, sql: str) -> list[Any]:
    return list(session.connection().execute(text(sql)).all())


def as_text(found: dict[str, Any]) -> str:
    """Return the report as a person reads it."""
    lines = [
        "",
        "The day",
        f"  invoices {found['invoices']}, credit notes {found['credit_notes']}, refused"
        f" {found['refused']}",
        f"  settled {found['settled']}, held {found['held']}, rejected {found['rejected']}"
        f" (retried and paid: {found['retried'].get('payments', 0)})",
        f"  {found['approved_by_second_person']['payments']} large payments approved by a second"
        " person",
        f"  {found['chain_transactions']} chain transactions, {found['gas_per_payment']} gas a"
        f" payment, {found['reorgs']} reorg with {found['entries_reversed']} entries reversed",
        "",
        f"Reconciliation: {found['matches']} matches; breaks that are open",
    ]
    lines += [f"  {reason}" for reason in found["break_reasons"]] or ["  none"]
    of_banks = found["bank"]
    lines += [
        "",
        f"Banks: {of_banks['statements']} statements with {of_banks['entries']} entries,"
        f" {of_banks['matched']} matches, {of_banks['tied_out']} balances tied out",
        f"  worked: {of_banks['attributed']} got a stray credit, {of_banks['written_off']} EUR of"
        " fees written off by two people",
        f"  proof that anybody can check: {of_banks['proof']['invoice']}",
    ]
    lines += ["", "Tie-out, wallets per token"]
    for symbol, row in found["tie_out"].items():
        lines.append(
            f"  {symbol}  block {row['block']}  ledger {row['ledger']:>20}"
            f"  chain {row['chain']:>20}  difference {row['difference']}"
        )
    lines += ["", "The checker, which shares no code with the rail"]
    for name, check in found["invariants"].items():
        lines.append(f"  {name:<12} {'holds' if check['ok'] else 'VIOLATED'}")
    stages = ", ".join(f"{name} {seconds} s" for name, seconds in found["stages"].items())
    lines += ["", f"{found['seconds']} s in all ({stages}), {found['rss_mb']} MB resident"]
    lines.append("All invariants hold." if found["ok"] else "AN INVARIANT IS VIOLATED.")
    return "\n".join(lines)
