"""`python -m services COMMAND`: everything that can be started from here."""

import os
import sys

import typer

from kit.runtime.errors import StartError
from services.commands import (
    ask,
    bus_keys,
    dead,
    declare,
    healthy,
    migrate,
    models,
    run,
    secret_files,
    token,
    up,
    workflow_task,
)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="AI Studio: a streaming backend that loses nothing.",
)
for module in (up, ask, models, token, migrate, declare, run, healthy, secret_files, bus_keys, workflow_task):
    app.command()(module.command)
app.add_typer(dead.app, name="dead")


def main() -> None:
    """Run one command; what is meant for a person is one line on standard error and exit code 1."""
    try:
        secret_files.read_secret_files(os.environ)
        app(prog_name="studio")
    except StartError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
