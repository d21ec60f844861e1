"""`python -m gateway` is `settle`."""

from gateway.cli import main

main()
