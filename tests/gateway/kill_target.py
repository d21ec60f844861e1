"""A gateway as a process of its own, to be killed: database URL and home are its arguments."""

import os
import sys
from pathlib import Path

from gateway.app import create_app
from gateway.serving import listen, serve
from settlement.config import Settings
from settlement.store import open_engine
from tests.gateway.builders import die_after_commits

if __name__ == "__main__":
    url, home, commits = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    engine = open_engine(url)
    if commits:
        die_after_commits(engine, commits, after=os.environ["DIE"] == "after")
    listener = listen("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    serve(create_app(engine, Settings(home=home)), listener)
