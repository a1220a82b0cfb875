"""What every generation of a worker shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from contracts import events
from contracts.generation import GenerateRequest, Turn
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.runlog.lane import RunKey
from kit.runlog.reads import LogReads
from kit.runlog.writers import LogWriters
from kit.settings import InferenceSettings
from services.inference.catalogue import Catalogue
from services.inference.registry import Providers

_turns = TypeAdapter(dict[str, tuple[Turn, ...]])


@dataclass(frozen=True, slots=True)
class Parts:
    """Connections and settings of one worker process."""

    bus: Bus
    reads: LogReads
    writers: LogWriters
    blobs: Blobs
    catalogue: Catalogue
    providers: Providers
    settings: InferenceSettings

    async def lane(self, key: RunKey, lane: str) -> Sequence[tuple[int, events.Event | None]]:
        """A whole lane with its sequences; for most requests it is empty, and one question to the leader tells."""
        return await self.reads.lane(key.lane(lane))

    async def turns(self, request: GenerateRequest) -> list[dict[str, Any]]:
        """The context for the model, from wherever it is."""
        turns = request.messages
        if request.messages_ref is not None:
            turns = _turns.validate_json(await self.blobs.get(request.messages_ref))["messages"]
        return [{"role": turn.role, "content": turn.content} for turn in turns]
