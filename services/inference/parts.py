"""What every generation of a worker shares."""

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from contracts.content import Turn
from contracts.generation import GenerateRequest
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
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

    async def turns(self, request: GenerateRequest) -> list[dict[str, Any]]:
        """The context for the model, from wherever it is."""
        turns = request.messages
        if request.messages_ref is not None:
            turns = _turns.validate_json(await self.blobs.get(request.messages_ref))["messages"]
        return [{"role": turn.role, "content": turn.content} for turn in turns]
