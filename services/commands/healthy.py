"""`healthy SERVICE`: does it answer? For the health checks of containers; the edge is asked at /readyz instead."""

import asyncio
from typing import Annotated, Any

import typer

from contracts.architect import ListArchitectRuns
from contracts.chat import ListRuns
from contracts.compare import ListCompareRuns
from contracts.generation import ListModels
from contracts.message import Owner, Reply, Request
from contracts.notifier import GetPreferences
from kit.runtime.errors import StartError
from kit.settings import Settings
from services.commands.settings import load_settings

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 3.0
NOBODY = Owner(tenant="probe", user="probe")

QUESTIONS: dict[str, Request[Any]] = {
    "chat": ListRuns(owner=NOBODY, limit=1),  # the answer comes from its database
    "compare": ListCompareRuns(owner=NOBODY, limit=1),
    "architect": ListArchitectRuns(owner=NOBODY, limit=1),
    "notifier": GetPreferences(owner=NOBODY),
    "inference": ListModels(),
}


def healthy(service: Annotated[str, typer.Argument(help="chat, compare, architect, notifier or inference")]) -> None:
    """Ask a service over the bus, as the others do; exit code 1 if it does not answer.

    Any replica may answer: this says that there is the service. A replica that died is restarted by Docker itself.
    """
    if service not in QUESTIONS:
        raise StartError(f"{service!r} is not asked over the bus; these are: {', '.join(QUESTIONS)}")
    asyncio.run(_ask(QUESTIONS[service], load_settings()))


async def _ask(question: Request[Any], settings: Settings) -> None:
    from nats.errors import Error

    from kit.bus.connection import Bus  # not kit.bus.rpc, which costs each check the import of FastStream

    bus = Bus(settings.nats, "healthy")
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await bus.connect()
        body = question.model_dump_json(exclude_none=True).encode()
        answer = await bus.client.request(question.rpc_subject(), body, timeout=ANSWER_SECONDS)
    except (Error, OSError, TimeoutError) as error:
        raise StartError(f"{question.SERVICE} does not answer: {str(error) or type(error).__name__}") from None
    finally:
        await bus.close()
    if problem := Reply[Any].model_validate_json(answer.data).problem:
        raise StartError(f"{question.SERVICE} answers: {problem.message}")


command = healthy
