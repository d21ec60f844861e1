"""Builders for what the watcher would have stored: blocks, receipts, paired logs; settlements."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlmodel import Session

from settlement.chain.rail_abi import Rejection
from settlement.tables import (
    Block,
    ChainLog,
    Document,
    Invoice,
    Lane,
    Receipt,
    Settlement,
)
from tests.builders.ledger import (
    BUYER,
    BUYER_WALLET,
    CURRENCY,
    DAY,
    OPERATOR,
    SELLER,
    SELLER_WALLET,
    TOKEN,
    a_block,
    block_hash,
    seed_parties,
    tx_hash,
)

RAIL = "0x" + "4a" * 20
ZERO = "0x" + "00" * 20
STRANGER = "0x" + "99" * 20
SHA = "5" * 64


def reference(number: int) -> str:
    """The reference of settlement `stl_<number>`."""
    return f"0x{number:064x}"


def seed_world(session: Session) -> None:
    """Parties, a token, a lane, and a document that invoices can name."""
    seed_parties(session)
    session.add(Lane(signer=OPERATOR, next_nonce=0))
    session.add(
        Document(
            sha256=SHA, media_type="application/json", content=b"{}", record="{}", received_at=0
        )
    )
    session.flush()


def add_settlement(
    session: Session,
    number: int,
    *,
    claim_minor: int = 1200,
    state: str = "SUBMITTED",
    tx: int | None = None,
) -> str:
    """An invoice and its settlement `stl_<number>` of `claim_minor` cents; returns its id."""
    session.add(
        Invoice(
            id=f"inv_{number}",
            number=str(number),
            issue_date=DAY,
            issue_year=2026,
            type_code="380",
            seller_id=SELLER,
            buyer_id=BUYER,
            currency=CURRENCY,
            payable_minor=claim_minor,
            state="ACCEPTED",
            document_sha256=SHA,
            created_at=0,
        )
    )
    session.flush()
    settlement = Settlement(
        id=f"stl_{number}",
        invoice_id=f"inv_{number}",
        end_to_end_id=f"E2E{number}",
        rail=RAIL,
        token=TOKEN,
        debtor_id=BUYER,
        creditor_id=SELLER,
        debtor_wallet=BUYER_WALLET,
        creditor_wallet=SELLER_WALLET,
        sequence=number,
        amount_minor=claim_minor * 10_000,
        claim_minor=claim_minor,
        reference=reference(number),
        document_sha256=SHA,
        execution_date=DAY,
        state=state,
        approved_by="policy",
        tx_hash=None if tx is None else tx_hash(tx),
        created_at=0,
    )
    session.add(settlement)
    session.flush()
    return settlement.id


@dataclass
class Facts:
    """Blocks of one branch, filled log by log. `store` writes what was gathered."""

    session: Session
    branch: int = 0
    blocks: dict[int, Block] = field(default_factory=dict)
    receipts: dict[tuple[int, int], Receipt] = field(default_factory=dict)
    logs: list[ChainLog] = field(default_factory=list)
    _next_index: dict[int, int] = field(default_factory=dict)

    def block(self, number: int) -> Facts:
        """An empty block, with every block of the branch below it that is not there yet."""
        self.blocks.setdefault(number, a_block(number, self.branch))
        return self

    def receipt(
        self, number: int, tx: int, *, depth: int = 1, sender: str = STRANGER, status: int = 1
    ) -> Receipt:
        """The receipt of chain transaction `tx` in block `number`."""
        self.block(number)
        place = sum(key[0] == number for key in self.receipts)
        made = Receipt(
            block_hash=block_hash(number, self.branch),
            tx_index=place,
            tx_hash=tx_hash(tx),
            block_number=number,
            sender=sender,
            status=status,
            gas_used=50_000,
            gas_price_wei=3,
            depth=depth,
            books="due",
        )
        return self.receipts.setdefault((number, tx), made)

    def transfer(
        self,
        number: int,
        tx: int,
        *,
        debtor: str,
        creditor: str,
        minor: int | None,
        token: str = TOKEN,
        detail: str | None = None,
    ) -> ChainLog:
        """A Transfer in block `number`."""
        return self._log(
            number,
            tx,
            token,
            "Transfer",
            token=token,
            debtor=debtor,
            creditor=creditor,
            amount_minor=minor,
            detail=detail,
        )

    def payment(
        self, number: int, tx: int, settlement: int, *, claim_minor: int = 1200, **changes: object
    ) -> tuple[ChainLog, ChainLog]:
        """The Transfer and the Settled of `stl_<settlement>`, paired; `changes` to both logs."""
        terms = {
            "token": TOKEN,
            "debtor": BUYER_WALLET,
            "creditor": SELLER_WALLET,
            "amount_minor": claim_minor * 10_000,
            **changes,
        }
        moved = self._log(number, tx, str(terms["token"]), "Transfer", **terms)
        settled = self._log(
            number,
            tx,
            RAIL,
            "Settled",
            **terms,
            sequence=settlement,
            reference=reference(settlement),
        )
        moved.pair_index, settled.pair_index = settled.log_index, moved.log_index
        return moved, settled

    def rejection(self, number: int, tx: int, settlement: int, code: Rejection) -> ChainLog:
        """A Rejected of `stl_<settlement>`."""
        return self._log(
            number,
            tx,
            RAIL,
            "Rejected",
            token=TOKEN,
            debtor=BUYER_WALLET,
            creditor=SELLER_WALLET,
            amount_minor=12_000_000,
            sequence=settlement,
            reference=reference(settlement),
            code=int(code),
        )

    def store(self) -> None:
        """Write everything gathered so far."""
        for rows in (self.blocks.values(), self.receipts.values(), self.logs):
            self.session.add_all(list(rows))
            self.session.flush()

    def _log(self, number: int, tx: int, address: str, name: str, **fields: object) -> ChainLog:
        receipt = self.receipt(number, tx)
        index = self._next_index.get(number, 0)
        self._next_index[number] = index + 1
        log = ChainLog(
            block_hash=receipt.block_hash,
            log_index=index,
            tx_index=receipt.tx_index,
            tx_hash=receipt.tx_hash,
            block_number=number,
            address=address,
            name=name,
            **fields,
        )
        self.logs.append(log)
        return log
