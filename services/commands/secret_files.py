"""Secrets as files, for containers: `STUDIO_AUTH_SECRET_FILE` instead of `STUDIO_AUTH_SECRET`, and who makes them.

A variable of a container can be read by everybody who may inspect it; a file is seen by those who mount it.
"""

import os
import secrets
from collections.abc import MutableMapping
from pathlib import Path
from typing import Annotated

import typer

from kit.runtime.datadir import SECRET_BYTES, write_private
from kit.runtime.errors import StartError

FROM_FILES = ("STUDIO_AUTH_SECRET", "STUDIO_DATABASE_SERVICE_PASSWORD", "STUDIO_DATABASE_URL", "PGPASSWORD")
"""PGPASSWORD is libpq's name; asyncpg takes it for a `STUDIO_DATABASE_URL` without a password."""

FOR_CONTAINERS = 0o444  # they run as different users, and each can mount only what it may read


def read_secret_files(environment: MutableMapping[str, str]) -> None:
    """Give each variable the content of the file that `<variable>_FILE` names. Raises StartError."""
    for name in FROM_FILES:
        path = environment.get(f"{name}_FILE")
        if not path:
            continue
        if environment.get(name):
            raise StartError(f"both {name} and {name}_FILE are set; remove one of them")
        try:
            environment[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise StartError(f"{name}_FILE: {path} cannot be read: {reason}") from None


def make_secrets(
    wanted: Annotated[list[str], typer.Argument(metavar="VARIABLE=FILE…", help="which secret goes into which file")],
    fixed: Annotated[
        list[str], typer.Option(metavar="VARIABLE", help="a secret that stays as it was first, such as a database's")
    ] = [],  # noqa: B006 - Typer's own way to say "none"; it is not changed
) -> None:
    """Write secrets into files: a variable's value if it has one, otherwise what was made before, otherwise random."""
    for pair in wanted:
        name, equals, file = pair.partition("=")
        if not (name and equals and file):
            raise StartError(f"{pair!r} is not VARIABLE=FILE")
        try:
            _make(name, Path(file), fixed=name in fixed)
        except OSError as error:
            raise StartError(f"the secret {file} cannot be kept: {error.strerror}") from None


def _make(name: str, path: Path, *, fixed: bool) -> None:
    given = os.environ.get(name, "").strip()
    kept = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    if fixed and given and kept and given != kept:
        raise StartError(f"{name} is not the one of the first start, and cannot be changed here; unset it")
    if (wanted := given or kept or secrets.token_urlsafe(SECRET_BYTES)) != kept:
        write_private(path, wanted + "\n")
    path.chmod(FOR_CONTAINERS)


command = make_secrets
