"""What the watchdog has to know of a service's runs, and what the service does when it is told to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.generation import GenerationEnded
from kit.orchestrate.generation import Generation
from kit.runlog.lane import RunKey


@dataclass(frozen=True, slots=True)
class Going:
    """A lane whose ending is not stored yet, of a run that goes on."""

    key: RunKey
    lane: str
    trace: Mapping[str, str] | None = None


class Runs(Protocol):
    """The runs of a service, as it stores them. Everything may be asked for twice, and on two replicas at once."""

    async def going(self) -> Sequence[Going]:
        """Every lane that goes on, of all owners. A lane whose ending is stored is none of them, whatever its run."""

    async def untold(self, limit: int) -> Sequence[RunKey]:
        """Runs that have ended, and it is not known that their log says so; the oldest first."""

    async def generation(self, lane: Going) -> Generation | None:
        """The whole of such a lane; None if it does not go on any more."""

    async def on_generation_ended(self, fact: GenerationEnded) -> None:
        """Act upon the ending of a generation, as if its fact had come."""

    async def tell(self, key: RunKey) -> None:
        """Make sure that the log and the facts of a run that has ended say so. One that is gone is no error."""
