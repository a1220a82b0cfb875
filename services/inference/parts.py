"""What every generation of a worker shares."""

from collections.abc import Sequence
from dataclasses import dataclass

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

    async def turns(self, request: GenerateRequest) -> Sequence[Turn]:
        """The context for the model, from wherever it is."""
        if request.messages_ref is None:
            return request.messages
        return _turns.validate_json(await self.blobs.get(request.messages_ref))["messages"]
