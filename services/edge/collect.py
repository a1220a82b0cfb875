"""A run's result for clients that want it in one piece."""

from dataclasses import dataclass, field
from typing import Any

from contracts import chat, events
from contracts.ids import MAIN_LANE, RUN_LANE
from contracts.message import Request
from kit.auth.principal import Principal
from kit.runlog.follow import Follower
from kit.runlog.once import newest_event
from services.edge.follow import stored_messages
from services.edge.gateway import Gateway, owner_of, run_key


@dataclass(slots=True)
class Result:
    """What a run came to. `generation` carries the texts; None if the run ended without one."""

    created: events.RunCreated | None = None
    generation: events.GenerationEnding | None = None
    ending: events.RunEnding | None = None
    notices: list[events.Notice] = field(default_factory=list)

    def take(self, payload: bytes) -> None:
        """One event of the log, its texts put back."""
        match event := events.decode(payload):
            case events.RunCreated():
                self.created = event
            case events.GenerationCompleted() | events.GenerationFailed() | events.GenerationCancelled():
                if event.lane == MAIN_LANE:
                    self.generation = event
            case events.RunCompleted() | events.RunFailed() | events.RunCancelled():
                if event.lane == RUN_LANE:
                    self.ending = event
            case events.Notice():
                self.notices.append(event)


async def begin_and_wait(
    gateway: Gateway, caller: Principal, command: Request[Any], run_id: str
) -> tuple[chat.RunStarted, Result]:
    """Start a run by a command that is answered with RunStarted, and wait for its end as `result_of` does.

    Raises Refused, Unavailable, LogUnavailableError.
    """
    key = run_key(caller, run_id)
    follower = Follower(gateway.reads, key, after=0, buffer_bytes=gateway.settings.edge.client_buffer_bytes)
    try:
        await follower.start(fresh=True)  # before the run exists: nothing has to be read from the log
        started: chat.RunStarted = await gateway.ask(command)
        if started.run_id == run_id:
            with gateway.audience.watching(key):
                result = await _collect(gateway, follower)
            if result.ending is not None:
                return started, result
    finally:
        await follower.close()
    return started, await result_of(gateway, caller, started.run_id)


async def result_of(gateway: Gateway, caller: Principal, run_id: str) -> Result:
    """Follow a run to its end, however long that takes and whatever the bus does meanwhile.

    Raises Refused, Unavailable, LogUnavailableError.
    """
    key = run_key(caller, run_id)
    while True:
        newest = await newest_event(gateway.log_bus, key)
        if newest is None:
            stored: chat.StoredRun = await gateway.ask(chat.ReplayRun(owner=owner_of(caller), run_id=run_id))
            if stored.run.status not in ("queued", "running"):
                result = Result()
                for message in stored_messages(stored):
                    result.take(message.payload)
                return result
        follower = Follower(
            gateway.reads,
            key,
            after=0,
            buffer_bytes=gateway.settings.edge.client_buffer_bytes,
            known=newest.sequence if newest else 0,
        )
        try:
            await follower.start()
            with gateway.audience.watching(key):
                result = await _collect(gateway, follower)
        finally:
            await follower.close()
        if result.ending is not None:
            return result  # otherwise its log was purged meanwhile: what is stored of it tells


async def _collect(gateway: Gateway, follower: Follower) -> Result:
    result = Result()
    while not follower.ended:
        batch = await follower.next(gateway.settings.edge.heartbeat_seconds)
        async for messages in gateway.expander.pieces(batch):
            for message in messages:
                result.take(message.payload)
    return result
