"""The HTTP server under the gateway: uvicorn with the settings that ship.

Knows no route.
"""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 10
CONNECTIONS_WAITING_MAX = 512


def serve(app: FastAPI, listener: socket.socket) -> None:
    """Answer requests on a bound socket until the process is told to stop, then finish them."""
    uvicorn.Server(server_config(app)).run(sockets=[listener])


def server_config(app: FastAPI) -> uvicorn.Config:
    """Return uvicorn's settings; the gateway writes its own access log."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=CONNECTIONS_WAITING_MAX,
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(CONNECTIONS_WAITING_MAX)
    listener.setblocking(False)
    return listener
