"""The ledger beside a dictionary: the same operations on both, and every invariant after each.

The dictionary knows no SQL, no hash and no kept sum: what it says is added up from what was asked.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from random import Random

from sqlmodel import Session

from scripts.benches._journal_world import MONEY, JournalWorld, token_of, wallet_of
from settlement import ledger
from settlement.clock import counted_ids
from settlement.ledger import PENDING, POSTED, Basis, Entry, Line, Reservation, monitors, periods
from settlement.ledger.journal import entry_hash
from settlement.ledger.stored import by_seq

OPERATIONS = 12
FIRST_DAY = date(2026, 9, 1)
DAYS = 60
PERIOD_DAYS = 10

_NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
_WATCHED = "receivable:*"
_BOUND = 3 * 10**6


class Disagreement(AssertionError):
    """The ledger does not say what the dictionary says."""


class LedgerModel:
    """One sequence of operations. Everything is drawn by the seed; the session is rolled back."""

    def __init__(self, session: Session, seed: int) -> None:
        self._session = session
        self._random = Random(seed)
        self._world = JournalWorld(seed)
        self._ids = counted_ids()
        self.done: list[str] = []
        """The operations so far, for whoever reads a failure."""
        self._entries: list[Entry] = []
        """As they must be stored: by seq, from 1."""
        self._keys: set[str] = set()
        self._reversed: set[int] = set()
        self._sums: dict[str, int] = defaultdict(int)
        self._held: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._closed = ""
        self._hashes: dict[str, tuple[str, str]] = {}
        self._sides: dict[str, str] = defaultdict(lambda: monitors.WITHIN)
        self._head = ledger.head(session)
        monitors.watch(
            session, _WATCHED, name="claims", lower_minor=-_BOUND, upper_minor=_BOUND,
            actor="a", ids=self._ids, now=_NOW,
        )  # fmt: skip

    def run(self, operations: int = OPERATIONS) -> None:
        """Do so many operations, and judge after each.

        Raises:
            Disagreement: with what was done, and what differs.
        """
        acts = (self._post, self._again, self._reserve, self._pay, self._void, self._reverse,
                self._close)  # fmt: skip
        for _ in range(operations):
            act = self._random.choices(acts, (30, 6, 14, 14, 8, 18, 10))[0]
            self.done.append(act())
            self._judge()
        self._require(ledger.verify_chain(self._session).holds, "the chain of hashes is broken")

    def _post(self) -> str:
        made = [self._dated(self._world.entry()) for _ in range(self._random.randrange(1, 4))]
        made = [entry for entry in made if entry.kind != "reserve"]
        self._expect(ledger.post(self._session, made, _NOW), [self._take(each) for each in made])
        return f"post {[each.kind for each in made]}"

    def _again(self) -> str:
        same = self._random.sample(self._entries, min(2, len(self._entries)))
        self._expect(ledger.post(self._session, same, _NOW), [])
        return "post the same again"

    def _reserve(self) -> str:
        number = self._random.randrange(4)
        # A settlement keeps its wallets for life.
        debtor, creditor = ((0, 1), (1, 2), (2, 0), (1, 0))[number]
        symbol = MONEY[0][1]
        row = Reservation(
            f"clr_{len(self.done)}", f"stl_m{number}", wallet_of(debtor), wallet_of(creditor),
            symbol, self._random.randrange(1, 10**6), f"inv_m{number}",
        )  # fmt: skip
        posted = ledger.reserve(self._session, [row], _NOW)
        if any(self._held[row.settlement_id].values()):
            self._expect(posted, [])
            return f"reserve {number} a second time"
        lines = (
            Line(f"wallet:{row.debtor_wallet}:{symbol}", -row.amount_minor, PENDING),
            Line(f"wallet:{row.creditor_wallet}:{symbol}", row.amount_minor, PENDING),
        )
        key = f"reserve:{row.clearance_id}"
        self._expect(
            posted, [self._take(Entry("reserve", key, lines, row.invoice_id, row.settlement_id))]
        )
        return f"reserve {number}"

    def _pay(self) -> str:
        settlement = f"stl_m{self._random.randrange(4)}"
        lines = self._release(settlement)
        drawn = self._dated(self._world._payment())._replace(
            settlement_id=settlement,
            invoice_id=_invoice_of(settlement),
            source_key=f"log:m:{len(self.done)}",
        )
        paid = drawn._replace(lines=(*drawn.lines, *lines))
        self._expect(ledger.post(self._session, [paid], _NOW), [self._take(paid)])
        return f"pay {settlement}, releasing {len(lines)} lines"

    def _void(self) -> str:
        settlement = f"stl_m{self._random.randrange(4)}"
        lines = self._release(settlement)
        posted = ledger.void(self._session, [settlement], _NOW)
        if not lines:
            self._expect(posted, [])
            return f"void {settlement}: nothing held"
        newest = max(
            seq for seq, each in enumerate(self._entries, 1)
            if each.settlement_id == settlement and each.kind in ("reserve", "reversal")
        )  # fmt: skip
        given_back = Entry("void", f"void:{newest}", lines, _invoice_of(settlement), settlement)
        self._expect(posted, [self._take(given_back)])
        return f"void {settlement}"

    def _reverse(self) -> str:
        standing = [
            seq for seq, each in enumerate(self._entries, 1)
            if each.kind not in ("reversal", "reserve", "void")
        ]  # fmt: skip
        chosen = sorted(self._random.sample(standing, min(2, len(standing))))
        posted = ledger.reverse(self._session, chosen, _NOW, "it must not stand")
        taken = []
        for seq in chosen:
            if seq in self._reversed:
                continue
            self._reversed.add(seq)
            was = self._entries[seq - 1]
            lines = tuple(Line(line.code, -line.minor, line.phase) for line in was.lines)
            taken.append(self._take(was._replace(
                kind="reversal", source_key=f"rev:{seq}", lines=lines, reverses_seq=seq,
                reason="it must not stand",
            )))  # fmt: skip
        self._expect(posted, taken)
        return f"reverse {chosen}"

    def _close(self) -> str:
        first = date.fromisoformat(self._closed) + timedelta(days=1) if self._closed else FIRST_DAY
        last = first + timedelta(days=PERIOD_DAYS - 1)
        if last >= _NOW.date():
            return "close nothing: it is not over"
        name = f"{first}_{last}"
        asked = periods.ask_to_close(self._session, name, actor="a", now=_NOW)
        if self._random.random() < 0.3:
            return f"ask to close {name}"
        closed = periods.approve_close(
            self._session, name, trial_sha256=asked.trial_sha256, actor="b", now=_NOW
        )
        self._closed = closed.last_date
        trial = self._trial(closed.last_date)
        self._same("the trial balance", closed.trial_sha256, periods.trial_hash(trial))
        self._hashes[name] = (closed.last_date, closed.trial_sha256)
        return f"close {name}"

    def _dated(self, entry: Entry) -> Entry:
        day = FIRST_DAY + timedelta(days=self._random.randrange(DAYS))
        return entry._replace(value_date=day.isoformat())

    def _take(self, entry: Entry) -> Entry:
        """Book an entry in the dictionary, as it has to be stored."""
        day = entry.value_date or _NOW.date().isoformat()
        reason = entry.reason
        if day <= self._closed:
            moved = f"value date {day} lies in a closed period"
            reason = f"{reason}; {moved}" if reason else moved
            day = (date.fromisoformat(self._closed) + timedelta(days=1)).isoformat()
        entry = entry._replace(value_date=day, reason=reason)
        self._require(entry.source_key not in self._keys, "a key was drawn twice")
        self._keys.add(entry.source_key)
        self._entries.append(entry)
        for line in entry.lines:
            if line.phase == POSTED:
                self._sums[line.code] += line.minor
            else:
                self._held[entry.settlement_id or ""][line.code] += line.minor
        return entry

    def _release(self, settlement: str) -> tuple[Line, ...]:
        found = ledger.releases(self._session, [settlement]).get(settlement, ())
        wanted = {code: -minor for code, minor in self._held[settlement].items() if minor}
        self._same("a release", {line.code: line.minor for line in found}, wanted)
        return found

    def _trial(self, last: str) -> list[tuple[str, int]]:
        sums: dict[str, int] = defaultdict(int)
        for entry in self._entries:
            for line in entry.lines:
                if line.phase == POSTED and (entry.value_date or "") <= last:
                    sums[line.code] += line.minor
        return sorted((code, minor) for code, minor in sums.items() if minor)

    def _expect(self, posted: int, taken: list[Entry]) -> None:
        self._same("entries posted", posted, len(taken))

    def _judge(self) -> None:
        session = self._session
        self._same("the head", ledger.head(session).seq, len(self._entries))
        self._judge_new_entries()
        trial = ledger.trial_balance(session)
        self._require(trial.is_balanced, f"out of balance: {trial.sums} {trial.drifted}")
        posted = {row.code: row.posted_minor for row in trial.rows if row.posted_minor}
        self._same("balances", posted, {code: n for code, n in self._sums.items() if n})
        wallets = {(wallet_of(number), token_of("TUSD")): "TUSD" for number in range(3)}
        free = ledger.available(session, wallets)
        for (address, token), symbol in wallets.items():
            code = f"wallet:{address}:{symbol}"
            aside = -sum(min(0, held.get(code, 0)) for held in self._held.values())
            wanted = self._sums.get(code, 0) - aside
            self._same(f"what is free of {code}", free[address, token], wanted)
        for last, digest in self._hashes.values():
            now = periods.trial_hash(periods.trial_at(session, last))
            self._same(f"the closed trial balance of {last}", now, digest)
        self._judge_a_statement()
        self._judge_monitors()

    def _judge_new_entries(self) -> None:
        """Compare what was stored since the last look, hash by hash."""
        fresh = range(self._head.seq + 1, len(self._entries) + 1)
        stored = by_seq(self._session, list(fresh))
        for found in stored:
            wanted = self._entries[found.seq - 1]
            lines = [(line.code, line.phase, line.minor) for line in found.lines]
            self._same("an entry", found.entry, wanted._replace(lines=()))
            self._same("its lines", lines, [(each.code, each.phase, each.minor) for each in
                                            wanted.lines])  # fmt: skip
            sums: dict[tuple[str, str], int] = defaultdict(int)
            for line in found.lines:
                sums[line.unit, line.phase] += line.minor
            self._require(not any(sums.values()), f"entry {found.seq} is off by {dict(sums)}")
            digest = entry_hash(self._head.hash, found.seq, wanted, found.booked_at, lines)
            self._same("a hash", found.hash, digest)
            self._head = ledger.Head(found.seq, digest)

    def _judge_a_statement(self) -> None:
        if not self._sums:
            return
        code = self._random.choice(sorted(self._sums))
        first = FIRST_DAY + timedelta(days=self._random.randrange(DAYS))
        last = first + timedelta(days=self._random.randrange(DAYS))
        found = ledger.account_statement(
            self._session, code, first=first, last=last, basis=Basis.VALUE
        )
        moved = [line.minor for line in found.lines]
        by_then = dict(self._trial(last.isoformat())).get(code, 0)
        before = dict(self._trial((first - timedelta(days=1)).isoformat())).get(code, 0)
        self._same(f"opening of {code}", found.opening_minor, before)
        self._same(f"closing of {code}", found.closing_minor, by_then)
        self._same(f"movements of {code}", before + sum(moved), by_then)
        on = ledger.balances(self._session, [code], on=last)[code]
        self._same(f"balance of {code} on {last}", on, by_then)

    def _judge_monitors(self) -> None:
        crossed = {each.code: each.side for each in monitors.check(self._session, _NOW)}
        wanted = {}
        for code, minor in self._sums.items():
            side = monitors.BELOW if minor < -_BOUND else monitors.ABOVE
            side = side if abs(minor) > _BOUND else monitors.WITHIN
            if code.startswith("receivable:") and side != self._sides[code]:
                wanted[code] = self._sides[code] = side
        self._same("what crossed its bounds", crossed, wanted)

    def _same(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            raise Disagreement(f"after {self.done}: {what}: {found}, not {wanted}")

    def _require(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise Disagreement(f"after {self.done}: {otherwise}")


def run_sequence(session: Session, seed: int) -> int:
    """Run one sequence on a database with a world in it; return how many operations it had."""
    model = LedgerModel(session, seed)
    model.run()
    return len(model.done)


def _invoice_of(settlement: str) -> str:
    return settlement.replace("stl", "inv")
