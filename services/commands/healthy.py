"""`healthy SERVICE`: is it well? For the health checks of containers; the edge is asked at /readyz instead."""

import asyncio
from typing import Annotated, Any

import typer

from contracts.message import Reply
from kit.bus.health import health_subject
from kit.runtime.errors import StartError
from kit.settings import Settings
from services.commands.settings import load_settings
from services.roster import ROSTER

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 3.0
ASKED = tuple(spec.name for spec in ROSTER if spec.name != "edge")


def healthy(service: Annotated[str, typer.Argument(help=f"one of {', '.join(ASKED)}")]) -> None:
    """Ask a service over the bus whether it is well; it looks whether its database answers. Exit code 1 if not.

    Any replica may answer: this says that there is the service. A replica that died is restarted by Docker itself.
    """
    if service not in ASKED:
        raise StartError(f"{service!r} is not asked over the bus; these are: {', '.join(ASKED)}")
    asyncio.run(_ask(service, load_settings()))


async def _ask(service: str, settings: Settings) -> None:
    from nats.errors import Error

    from kit.bus.connection import Bus  # not kit.bus.rpc, which costs each check the import of FastStream

    bus = Bus(settings.nats, "healthy")
    try:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await bus.connect()
        except (OSError, TimeoutError):
            raise StartError(f"nobody is at {', '.join(settings.nats.url)}; is NATS there? (STUDIO_NATS_URL)") from None
        answer = await bus.client.request(health_subject(service), b"", timeout=ANSWER_SECONDS)
    except (Error, OSError, TimeoutError) as error:
        raise StartError(f"{service} does not answer: {str(error) or type(error).__name__}") from None
    finally:
        await bus.close()
    if problem := Reply[Any].model_validate_json(answer.data).problem:
        raise StartError(f"{service} answers: {problem.message}")


command = healthy
