"""Gateways to be killed, each a process of its own, forked from one that has imported everything.

Each line in: database URL, home, after how many commits it dies (0: never) and whether `before` or
`after` one. Lines out: the port it listens on and its process id; how it ended.
"""

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.app import create_app
from gateway.serving import listen, serve
from settlement.config import Settings
from settlement.store import open_engine
from tests.gateway.builders import die_after_commits


def run(url: str, home: str, commits: int, die: str) -> None:
    """Serve until the end that was asked for, or until somebody kills this process."""
    engine = open_engine(url)
    if commits:
        die_after_commits(engine, commits, after=die == "after")
    listener = listen("127.0.0.1", 0)
    print(json.dumps([listener.getsockname()[1], os.getpid()]), flush=True)
    serve(create_app(engine, Settings(home=Path(home))), listener)


def warm_up() -> None:
    """Make an application that nobody serves: the next one costs little."""
    with TemporaryDirectory() as folder:
        create_app(open_engine(f"sqlite:///{folder}/none.sqlite3"), Settings(home=Path(folder)))


if __name__ == "__main__":
    warm_up()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run(*json.loads(line))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
