"""What a person types: the `settle` command.

It does not decide anything about money.
"""

import typer

app = typer.Typer(no_args_is_help=True, help="Pay trade invoices across borders.")


@app.callback()
def settle() -> None:
    """Pay trade invoices across borders."""


def main() -> None:
    """Run the command line."""
    app()
