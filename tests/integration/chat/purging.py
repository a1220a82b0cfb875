"""The retention, a step at a time, and runs for it."""

from typing import Any

from kit.orchestrate.duty import Duty
from kit.orchestrate.retention import Retention
from kit.runlog.lane import RunKey
from services.chat.purge_store import PURGES, Old
from services.chat.service import ChatService
from tests.fixtures.polling import until
from tests.integration.chat.world import World

RETENTION = 3600.0


def retention(service: ChatService, holder: str = "one") -> Retention:
    """It does a step when it is told to."""
    duty = Duty(service._database, "chat", "purge", holder, 31)
    old = Old(service._database, run_seconds=RETENTION, completion_seconds=RETENTION)
    parts = (service._bus, service._database, service._blobs, service._reads, duty, PURGES, old.order)
    return Retention(*parts, purges_per_second=1000, idle_seconds=1)


async def all_done(purging: Retention) -> int:
    """Go on until nothing is to be done; returns the number of steps that did something."""
    steps = 0
    while await purging.step() is not None:
        steps += 1
    return steps


async def completed(world: World, text: str = "all", **more: Any) -> RunKey:
    """A run that has ended, in the tables and in the log, and is marked so."""
    key = await world.begin(**more)
    worker = await world.work_on(key)
    await worker.say(text[:1000])
    await world.tell(await worker.finish(text))
    await until(lambda: marked(world, key))
    return key


async def marked(world: World, key: RunKey) -> bool:
    """Whether everything is known to be said of a run."""
    row = await world.row(key)
    return bool(row["told_at"] and row["dispatched_at"])


async def age(world: World, key: RunKey) -> None:
    """Let it have been long ago."""
    query = """UPDATE chat.run SET created_at = created_at - interval '1 day', ended_at = ended_at - interval '1 day',
               dispatched_at = dispatched_at - interval '1 day' WHERE id = $1"""
    await world.execute(query, key.run)
