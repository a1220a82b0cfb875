"""The same client without `async`: for scripts and notebooks' cells.

with BlockingStudio() as studio, studio.send("Hello") as run:
    for event in run:
        print(event.data.get("text", ""), end="")
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

from studio_client.client import DEFAULT_URL, Json, Studio
from studio_client.events import Event
from studio_client.patience import Patience
from studio_client.run import Run
from studio_client.transcript import Transcript

T = TypeVar("T")


class BlockingRun:
    """See `Run`."""

    def __init__(self, loop: asyncio.Runner, run: Run) -> None:
        self._loop, self._run = loop, run

    @property
    def id(self) -> str:
        """Empty until the server has answered."""
        return self._run.id

    @property
    def cursor(self) -> str:
        """Of the last event that was told."""
        return self._run.cursor

    @property
    def transcript(self) -> Transcript:
        """What was told, folded."""
        return self._run.transcript

    def __iter__(self) -> Iterator[Event]:
        """The events that were not told yet."""
        return _iterate(self._loop, self._run)

    def start(self) -> Self:
        """Connect and wait for the server's answer."""
        self._loop.run(self._run.start())
        return self

    def wait(self) -> Transcript:
        """Follow to the end."""
        return self._loop.run(self._run.wait())

    def cancel(self) -> Json:
        """Stop it."""
        return self._loop.run(self._run.cancel())

    def __enter__(self) -> Self:
        """Close it at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it; the run goes on."""
        self._loop.run(self._run.close())


class BlockingStudio:
    """See `Studio`. Not for code that runs inside an event loop, and for one thread."""

    def __init__(self, url: str = DEFAULT_URL, *, token: str | None = None, patience: Patience | None = None) -> None:
        self._loop = asyncio.Runner()
        self._studio = Studio(url, token=token, patience=patience)

    def __enter__(self) -> Self:
        """Close it at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the connections; that stops no run."""
        self._loop.run(self._studio.close())
        self._loop.close()

    def send(self, content: Any, **options: Any) -> BlockingRun:
        """Send a message; see `Studio.send`."""
        return BlockingRun(self._loop, self._studio.send(content, **options))

    def regenerate(self, conversation: str, message: str, **options: Any) -> BlockingRun:
        """Answer a message once more."""
        return BlockingRun(self._loop, self._studio.regenerate(conversation, message, **options))

    def run_assistant(self, assistant: str, inputs: Json | None = None, **options: Any) -> BlockingRun:
        """Run an assistant; see `Assistants.run`."""
        return BlockingRun(self._loop, self._studio.assistants.run(assistant, inputs, **options))

    def steps(self, run_id: str) -> Json:
        """An assistant's run as it is now."""
        return self._loop.run(self._studio.assistants.steps(run_id))

    def approve(self, run_id: str, step: str, comment: str = "") -> Json:
        """Let a step begin that waits for it."""
        return self._loop.run(self._studio.assistants.approve(run_id, step, comment))

    def reject(self, run_id: str, step: str, comment: str = "") -> Json:
        """Refuse it."""
        return self._loop.run(self._studio.assistants.reject(run_id, step, comment))

    def preferences(self) -> Json:
        """What you want to be told of; see `Notifications`."""
        return self._loop.run(self._studio.notifications.preferences())

    def update_preferences(self, **changes: Any) -> Json:
        """Change what is given and leave the rest."""
        return self._loop.run(self._studio.notifications.update_preferences(**changes))

    def notifications(self, **filters: Any) -> Iterator[Json]:
        """What was sent, is on its way, or is not sent, newest first."""
        return _iterate(self._loop, self._studio.notifications.all(**filters))

    def run(self, run_id: str, cursor: str = "") -> BlockingRun:
        """Follow a run."""
        return BlockingRun(self._loop, self._studio.run(run_id, cursor))

    def get_run(self, run_id: str) -> Json:
        """A run as it is now."""
        return self._loop.run(self._studio.get_run(run_id))

    def cancel(self, run_id: str) -> Json:
        """Stop a run."""
        return self._loop.run(self._studio.cancel(run_id))

    def create_conversation(self, **fields: Any) -> Json:
        """An empty conversation."""
        return self._loop.run(self._studio.create_conversation(**fields))

    def conversations(self, **filters: Any) -> Iterator[Json]:
        """Your conversations, newest first."""
        return _iterate(self._loop, self._studio.conversations(**filters))

    def messages(self, conversation: str, **filters: Any) -> Iterator[Json]:
        """The messages of a conversation, oldest first."""
        return _iterate(self._loop, self._studio.messages(conversation, **filters))

    def models(self) -> list[Json]:
        """The catalogue."""
        return self._loop.run(self._studio.models())


def _iterate(loop: asyncio.Runner, source: AsyncIterator[T]) -> Iterator[T]:
    while True:
        item = loop.run(_next(source))
        if item is None:
            return
        yield item


async def _next(source: AsyncIterator[T]) -> T | None:
    return await anext(source, None)
