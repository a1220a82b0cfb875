"""`models`: what can be asked."""

import asyncio
from typing import Annotated, Any

import typer

from kit.runtime.errors import StartError
from services.commands.client import CONNECT_SECONDS, Target, find_target, problem_text

TOTAL_SECONDS = 30.0


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
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(headers=target.headers, timeout=timeout) as session,
            session.get(f"{target.url}/v1/models") as response,
        ):
            if response.status != 200:
                raise StartError(problem_text(response.status, await response.text()))
            answer = await response.json()
    except aiohttp.ClientConnectorError as error:
        raise target.unreachable(error.strerror or error) from None
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise target.unreachable(error or type(error).__name__) from None
    return [model for model in answer.get("data", []) if isinstance(model, dict)]


command = models
