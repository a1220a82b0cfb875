"""`ask "…"`: one question, the answer as it is written, and a connection that may drop without losing a word."""

import asyncio
import signal
import sys
from typing import Annotated

import typer

from kit.runtime.errors import StartError
from services.commands.answer import Answer
from services.commands.client import find_target
from services.commands.follow import Conversation

INTERRUPTED = 130  # what a shell expects after Ctrl-C


def ask(
    question: Annotated[str, typer.Argument(help="what to ask")],
    model: Annotated[str | None, typer.Option(help="see `models`; default: the first of the catalogue")] = None,
    url: Annotated[str | None, typer.Option(help="the edge; default: the stack that runs here")] = None,
    token: Annotated[str | None, typer.Option(envvar="STUDIO_TOKEN", help="see `token`")] = None,
) -> None:
    """Ask one question and stream the answer. Ctrl-C stops the model; what was written is kept."""
    conversation = Conversation(find_target(url, token), question, model)
    raise typer.Exit(asyncio.run(_ask(conversation)))


async def _ask(conversation: Conversation) -> int:
    answer = Answer(_write, _note, terminal=sys.stdout.isatty())
    interrupted = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
    reading = asyncio.create_task(conversation.stream(answer, _note))
    waiting = asyncio.create_task(interrupted.wait())
    try:
        await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            return await _cancel(conversation, answer, reading)
        reading.result()
        return 0 if answer.ending == "run.completed" else 1
    finally:
        waiting.cancel()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await conversation.close()


async def _cancel(conversation: Conversation, answer: Answer, reading: asyncio.Task[None]) -> int:
    # From here on a second Ctrl-C ends the client at once.
    asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
    answer.interrupt()
    try:
        if text := await conversation.cancel(reading, answer):
            _note(text)
    except StartError as error:
        _note(f"error: {error}")
    return INTERRUPTED


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


command = ask
