"""The proof of a paid invoice over HTTP: a file that others check without us."""

from __future__ import annotations

from starlette.responses import Response

from gateway.api.answers import TheCaller, TheGateway
from gateway.api.operation import QueryRoute
from settlement import proof

MEDIA_TYPE = "application/vnd.settlement-rail.proof+json"


def get_proof(invoice_id: str, gateway: TheGateway, caller: TheCaller) -> Response:
    """All that shows that an invoice was paid, as one file; `settle verify proof` checks it.

    409 until a payment of it is final. A company gets those of what it sells or buys.
    """
    content = proof.prove(
        gateway.engine,
        gateway.chain,
        gateway.journal_tree,
        invoice_id,
        party=caller.party,
        confirmations=gateway.settings.finality_confirmations,
        now=gateway.clock(),
    )
    name = f'attachment; filename="{invoice_id}.proof.json"'
    return Response(content, media_type=MEDIA_TYPE, headers={"Content-Disposition": name})


QUERIES = (
    QueryRoute(
        "/v1/invoices/{invoice_id}/proof",
        get_proof,
        "Prove that an invoice was paid",
        None,
        f'{{"acceptance":{{…}},"digest":"…","format":"{proof.FORMAT}",…}}',
        tag="invoices",
        media_type=MEDIA_TYPE,
    ),
)
