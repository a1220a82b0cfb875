"""The end of a run, whatever is repeated or happens at the same moment: its reply is stored once, its ending is in the
log once, and the fact of it is told.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts import events
from contracts.generation import GenerationEnded
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.redelivery import DeadLetterError
from kit.db.database import Database
from kit.runlog.lane import RunKey
from kit.runlog.reads import LogReads
from kit.settings import DatabaseSettings
from services.chat import endings
from services.chat.endings import EndingHandlers
from services.chat.marks import run_marks
from tests.fixtures.bus import api, connected_bus, held
from tests.fixtures.database import database, rows
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack
from tests.integration.chat.left import ANSWER, OWNER, a_run_in_the_tables, an_answer_in_the_log


class CrashError(Exception):
    """What happens to a process, as far as it can happen inside one."""


async def nobody_waits(conversation_id: str) -> None:
    """No run here has another one behind it."""
    raise AssertionError(conversation_id)


@pytest.fixture
async def bus(servers: Servers) -> AsyncIterator[Bus]:
    async with connected_bus(servers) as connected:
        yield connected


@pytest.fixture
async def handlers(stack: Stack, servers: Servers, bus: Bus) -> AsyncIterator[EndingHandlers]:
    """Another replica of chat, whose messages the test delivers."""
    settings = DatabaseSettings(url=servers.database_url, service_password="service-password")  # type: ignore[arg-type]
    chats_tables, reads = Database(settings, "chat"), LogReads(bus, 1)
    await chats_tables.connect()
    await reads.start()
    yield EndingHandlers(bus, chats_tables, Blobs(bus, 1), reads, run_marks(chats_tables), nobody_waits)
    await chats_tables.close()


@pytest.fixture
async def fact(stack: Stack, servers: Servers, bus: Bus) -> GenerationEnded:
    """Of a generation that has ended, in a run that has not."""
    return await an_answer_in_the_log(bus, await a_run_in_the_tables(servers))


async def facts_of(bus: Bus, run_id: str) -> int:
    """How often the end of the run was told."""
    facts = await held(bus.client, "EVENTS", "evt.chat.run.*")
    return sum(run_id.encode() in fact.data and fact.subject != "evt.chat.run.created" for fact in facts)


async def assert_ended(servers: Servers, bus: Bus, fact: GenerationEnded) -> None:
    """Once, everywhere."""
    reads = LogReads(bus, 1)
    await reads.start()
    lane = await reads.lane(RunKey(OWNER.tenant, OWNER.user, fact.run_id).lane("run"))
    assert [type(event) for _, event in lane] == [events.RunCreated, events.RunCompleted]
    stored = await rows(servers, "SELECT content FROM chat.message WHERE run_id = $1", fact.run_id)
    assert [row["content"] for row in stored] == [ANSWER]
    assert await facts_of(bus, fact.run_id) == 1


def crashing_once(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The first use of something of the endings' is a crash."""
    works, crashed = getattr(endings, name), False

    async def once(*arguments: Any, **options: Any) -> Any:
        nonlocal crashed
        if not crashed:
            crashed = True
            raise CrashError
        return await works(*arguments, **options)

    monkeypatch.setattr(endings, name, once)


@pytest.mark.parametrize("step", ["end_lane", "publish"])
async def test_a_crash_between_the_commit_and_what_follows_is_made_up_for(
    handlers: EndingHandlers, fact: GenerationEnded, servers: Servers, bus: Bus, monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:  # fmt: skip
    crashing_once(monkeypatch, step)
    with pytest.raises(CrashError):
        await handlers.on_generation_ended(fact)
    status = "SELECT status, ended_at FROM chat.run WHERE id = $1"
    (committed,) = await rows(servers, status, fact.run_id)
    assert committed["status"] == "completed"
    for _ in range(2):
        await handlers.on_generation_ended(fact)
        await assert_ended(servers, bus, fact)
    assert await rows(servers, status, fact.run_id) == [committed], "it ended when it ended"


async def test_of_two_facts_at_once_both_see_the_end(
    handlers: EndingHandlers, fact: GenerationEnded, servers: Servers, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait for each other in the tables; one of them then dies, and the other has to do what is left."""
    crashing_once(monkeypatch, "end_lane")
    async with database(servers) as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM chat.run WHERE id = $1 FOR UPDATE", fact.run_id)
        handling = [asyncio.create_task(handlers.on_generation_ended(fact)) for _ in range(2)]

        async def both_wait() -> bool:
            query = "SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted"
            return bool((await rows(servers, query))[0]["waiting"] >= 2)

        await until(both_wait)
    crashed = await asyncio.gather(*handling, return_exceptions=True)
    assert sum(isinstance(outcome, CrashError) for outcome in crashed) == 1
    await assert_ended(servers, bus, fact)


async def test_a_fact_that_is_ahead_of_the_log_is_tried_again(handlers: EndingHandlers, fact: GenerationEnded) -> None:
    """A new leader of the log may be behind for a moment; parked, the fact would leave its run without an end."""
    with pytest.raises(Exception) as raised:  # noqa: PT011
        await handlers.on_generation_ended(fact.model_copy(update={"sequence": fact.sequence + 1_000_000}))
    assert not isinstance(raised.value, DeadLetterError)


async def test_a_fact_whose_lane_was_purged_is_given_up(
    handlers: EndingHandlers, fact: GenerationEnded, bus: Bus
) -> None:
    lane = RunKey(OWNER.tenant, OWNER.user, fact.run_id).lane("main")
    await api(bus.client, "STREAM.PURGE.RUNS", {"filter": lane})
    with pytest.raises(DeadLetterError):
        await handlers.on_generation_ended(fact)
