"""`run SERVICE`: one service of the roster in this process. Containers and the local supervisor call this."""

from typing import Annotated

import typer

from kit.runtime.errors import StartError
from services import roster
from services.commands.settings import load_settings


def run(service: Annotated[str, typer.Argument(help="edge, chat, inference, …: see services/roster.py")]) -> None:
    """Run one service of the roster in this process."""
    try:
        spec = roster.find(service)
    except KeyError:
        known = ", ".join(entry.name for entry in roster.ROSTER)
        raise StartError(f"there is no service {service!r}; there are: {known}") from None
    settings = load_settings()
    from kit.runtime import process

    # The import is part of the start: when it fails, that is reported like any other failure to start.
    raise typer.Exit(process.run(spec.name, lambda settings: spec.load()(settings), settings))


command = run
