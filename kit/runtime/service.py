"""What a process of the product looks like to whoever runs it."""

from typing import Protocol


class Service(Protocol):
    """One service. `service.py` builds it, `kit.runtime.process` runs it, tests call the same builder.

    Nothing happens before `start`: building a service opens no socket and starts no task.
    """

    async def start(self) -> None:
        """Open everything and return when the service can do its work. Raises when it cannot."""

    async def stop(self) -> None:
        """Close everything that was opened; also after a `start` that failed half-way."""

    async def wait(self) -> None:
        """Return or raise when the service can no longer work; otherwise wait for ever."""
