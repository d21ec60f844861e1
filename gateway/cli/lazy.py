"""Sub-commands that are imported only when they run: `settle --help` names all and imports none.

Knows no command of its own.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


def lazy_group(
    commands: Mapping[str, str], modules: Mapping[str, str], package: str = "gateway.cli"
) -> type[TyperGroup]:
    """Return a group of `commands` (name: help), each the `app` of a module of `package`."""

    class LazyGroup(TyperGroup):
        """Lists from the table; imports a module when its command is resolved."""

        def list_commands(self, ctx: Any) -> list[str]:
            """See click: the names, in the table's order."""
            return list(commands)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            """See click: enough of a command to be listed."""
            line = commands.get(cmd_name)
            return None if line is None else TyperCommand(cmd_name, help=line, short_help=line)

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            """See click: the real command, now that it is needed."""
            name, listed, rest = super().resolve_command(ctx, args)
            if name is None or listed is None:
                return name, listed, rest
            stem = modules.get(name, name.replace("-", "_"))
            noun: typer.Typer = importlib.import_module(f"{package}.{stem}").app
            noun._add_completion = False  # The completion options are the root's alone.
            command = typer.main.get_command(noun)
            command.name = name
            return name, command, rest

    return LazyGroup
