"""A client for AI Studio: ask, follow, stop. Streams go on by cursor over any number of lost connections.

It needs httpx and nothing else of this repository:

    async with Studio("http://127.0.0.1:8484") as studio:
        async with studio.send("Hello") as run:
            async for event in run:
                print(event.type, event.data.get("text", ""))
            print(run.transcript.text())

`studio_client.blocking` is the same without `async`.
"""

from studio_client.client import Studio
from studio_client.errors import ApiError, LostError, StudioError, UnreachableError
from studio_client.events import Event
from studio_client.patience import Loss, Patience
from studio_client.run import Run
from studio_client.transcript import Lane, Step, ToolCall, Transcript

__all__ = [
    "ApiError",
    "Event",
    "Lane",
    "Loss",
    "LostError",
    "Patience",
    "Run",
    "Step",
    "Studio",
    "StudioError",
    "ToolCall",
    "Transcript",
    "UnreachableError",
]
