"""`models`: what can be asked."""

import asyncio
from typing import Annotated, Any

import typer

from services.commands.client import Target, errors_as_lines, find_target


def models(
    url: Annotated[str | None, typer.Option(help="the edge; default: the stack that runs here")] = None,
    token: Annotated[str | None, typer.Option(envvar="STUDIO_TOKEN", help="see `token`")] = None,
) -> None:
    """List the models of the catalogue."""
    catalogue = asyncio.run(_fetch(find_target(url, token)))
    rows = [("MODEL", "PROVIDER", "CONTEXT"), *(_row(model) for model in catalogue)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(model: dict[str, Any]) -> tuple[str, str, str]:
    provider = model.get("provider") or model.get("owned_by") or ""
    return str(model.get("id", "")), str(provider), str(model.get("context_window") or "")


async def _fetch(target: Target) -> list[dict[str, Any]]:
    with errors_as_lines():
        async with target.open() as studio:
            return await studio.models()


command = models
