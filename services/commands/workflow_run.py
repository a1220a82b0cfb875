"""What a `workflow-task` does: it starts a run at an edge, as any client would, and follows it to its end.

The run itself lives in the product; this is a watcher that may die. Its checkpoint says which run it was and how far it
had come; without one the execution's name is the key under which the edge gives the same run again.
"""

import asyncio
import contextlib
import signal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from kit.settings import WorkflowSettings
from services.commands.workflow_step import WorkflowStep
from studio_client import ApiError, LostError, Run, Studio, UnreachableError

RETRYABLE = "Retryable"
REFUSED = "Refused"
FAILED = "RunFailed"
COMPLETED = "completed"
LATER = frozenset({408, 425, 429})
"""Refusals that pass."""


class WorkflowRequest(BaseModel):
    """What an execution is started with: a prompt for a model, or an assistant with its inputs."""

    model_config = ConfigDict(extra="ignore")

    prompt: str = ""
    model: str | None = None
    assistant: str = ""
    inputs: dict[str, Any] = Field({})

    @model_validator(mode="after")
    def _one_of_both(self) -> "WorkflowRequest":
        if bool(self.prompt) == bool(self.assistant):
            raise ValueError("either `prompt` or `assistant` is needed")
        return self


async def perform(settings: WorkflowSettings, step: WorkflowStep) -> None:
    """Follow the run and end the step, in whatever way."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    following = asyncio.create_task(_follow(settings, step))
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not following.done():
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        await step.fail(RETRYABLE, "the task is being stopped; the run goes on")
        return
    try:
        await step.succeed(following.result())
    except (ApiError, LostError, UnreachableError, ValidationError, _EndedOtherwiseError) as error:
        await step.fail(_kind(error), str(error))


class _EndedOtherwiseError(Exception):
    """The run has ended, and not with an answer."""


async def _follow(settings: WorkflowSettings, step: WorkflowStep) -> dict[str, Any]:
    wanted = WorkflowRequest.model_validate(await step.asked())
    known = await step.load()
    async with Studio(settings.url, token=settings.token.get_secret_value()) as studio:
        run = studio.run(known["run_id"], known["cursor"]) if known else _begin(studio, wanted, step.name)
        async with run:
            await run.start()
            beating = asyncio.create_task(_beat(run, step, settings.checkpoint_seconds))
            try:
                await _until_end(run, beating)
            finally:
                beating.cancel()
        result = await studio.get_run(run.id)
    await step.save({"run_id": run.id, "cursor": run.cursor, "result": result})
    if result["status"] != COMPLETED:
        raise _EndedOtherwiseError(f"the run {run.id} has {result['status']}")
    return {"run_id": run.id, "status": result["status"], "checkpoint": step.key}


def _begin(studio: Studio, wanted: WorkflowRequest, key: str) -> Run:
    if wanted.assistant:
        return studio.assistants.run(wanted.assistant, wanted.inputs, key=key)
    return studio.send(wanted.prompt, model=wanted.model, key=key)


async def _until_end(run: Run, beating: asyncio.Task[None]) -> None:
    reading = asyncio.create_task(run.wait())
    try:
        await asyncio.wait({reading, beating}, return_when=asyncio.FIRST_COMPLETED)
        if beating.done():
            await beating  # it ends only by failing: what cannot be told must not go on as if it were
        await reading
    finally:
        reading.cancel()


async def _beat(run: Run, step: WorkflowStep, seconds: float) -> None:
    while True:
        if run.id:
            await step.save({"run_id": run.id, "cursor": run.cursor})
        await step.beat()
        await asyncio.sleep(seconds)


def _kind(error: Exception) -> str:
    if isinstance(error, _EndedOtherwiseError):
        return FAILED
    if isinstance(error, ValidationError):
        return REFUSED
    if isinstance(error, ApiError) and error.status < 500 and error.status not in LATER:
        return REFUSED
    return RETRYABLE
