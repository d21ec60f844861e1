"""`settle gateway`: the process behind the HTTP API."""

from __future__ import annotations

import typer

app = typer.Typer()

_OBJECTS = 50_000
"""What a request leaves behind is collected before it is much."""


@app.command(
    epilog="Example: SETTLE_RPC_URL=http://127.0.0.1:8545 SETTLE_PORT=8400 settle gateway",
)
def gateway() -> None:
    """Serve the API at SETTLE_HOST and SETTLE_PORT until it is told to stop."""
    from gateway import processes, wiring
    from gateway.app import create_app
    from gateway.serving import listen, serve
    from settlement.config import Settings
    from settlement.store.locks import leave_out_locks

    processes.end_with_parent()
    leave_out_locks()
    settings = Settings()
    chain = wiring.open_chain(settings) if settings.rpc_url else None
    served = create_app(wiring.open_database(settings), settings, chain=chain)
    processes.collect_garbage_seldom(_OBJECTS)
    serve(served, listen(settings.host, settings.port))
