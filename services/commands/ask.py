"""`ask "…"`: one question, the answer as it is written, and a connection that may drop without losing a word."""

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from kit.runtime.errors import StartError
from services.commands.client import Target, errors_as_lines, find_target

if TYPE_CHECKING:
    from services.commands.answer import Answer
    from studio_client import Loss, Run

INTERRUPTED = 130  # what a shell expects after Ctrl-C
CANCEL_SECONDS = 10.0
END_SECONDS = 5.0  # from "cancelled" to the last event


def ask(
    question: Annotated[str, typer.Argument(help="what to ask")],
    model: Annotated[str | None, typer.Option(help="see `models`; default: the first of the catalogue")] = None,
    url: Annotated[str | None, typer.Option(help="the edge; default: the stack that runs here")] = None,
    token: Annotated[str | None, typer.Option(envvar="STUDIO_TOKEN", help="see `token`")] = None,
) -> None:
    """Ask one question and stream the answer. Ctrl-C stops the model; what was written is kept."""
    raise typer.Exit(asyncio.run(_ask(find_target(url, token), question, model)))


async def _ask(target: Target, question: str, model: str | None) -> int:
    from services.commands.answer import Answer

    interrupted = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
    async with target.open() as studio, studio.send(question, model=model, on_loss=_on_loss) as run:
        answer = Answer(run.transcript, _write, _note, terminal=sys.stdout.isatty())
        reading = asyncio.create_task(_read(run, answer))
        waiting = asyncio.create_task(interrupted.wait())
        try:
            await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                return await _cancel(run, answer, reading)
            with errors_as_lines():
                reading.result()
            if run.transcript.ending is None:
                raise StartError("the run has ended, but its ending was not seen; look at its conversation")
            return 0 if run.transcript.ending == "run.completed" else 1
        finally:
            waiting.cancel()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _read(run: "Run", answer: "Answer") -> None:
    async for event in run:
        answer.on_event(event)


async def _cancel(run: "Run", answer: "Answer", reading: asyncio.Task[None]) -> int:
    # From here on a second Ctrl-C ends the client at once.
    asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
    answer.interrupt()
    if not run.id:
        _note("stopped before the server had answered; if it had started, the run goes on")
        return INTERRUPTED
    try:
        with errors_as_lines():
            await asyncio.wait_for(run.cancel(), CANCEL_SECONDS)
    except (StartError, TimeoutError) as error:
        _note(f"error: not cancelled, the run goes on: {error or 'no answer'}")
        return INTERRUPTED
    await asyncio.wait({reading}, timeout=END_SECONDS)
    if run.transcript.ending is None:
        _note("the run is being cancelled")
    return INTERRUPTED


def _on_loss(loss: "Loss") -> None:
    _note(f"[connection lost: {loss.reason}; trying again in {loss.pause:.1f} s]")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


command = ask
