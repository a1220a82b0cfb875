"""Orders to purge: what is deleted, long texts, and orders that cannot be carried out."""

from typing import Any

import pytest

from contracts import events
from contracts.chat import ReplayRun
from kit.refusal import Refused
from kit.runlog.lane import RunKey
from kit.runlog.purge import purge_run
from services.chat.purge_store import PURGES
from tests.fixtures.bus import subjects_of
from tests.fixtures.polling import until
from tests.integration.chat.purging import age, all_done, completed, marked, retention
from tests.integration.chat.world import OWNER, World

LONG = "a text that no message carries " * 5000


async def test_a_deleted_conversation_leaves_nothing_in_the_log(world: World) -> None:
    purging = retention(await world.replica())
    key, other = await completed(world), await completed(world)
    await world.delete(key)
    assert await world.rows("SELECT run_id FROM chat.log_purge") == [{"run_id": key.run}], "it is on record"
    assert await all_done(purging) == 1
    assert await world.logged(key) == {}
    assert await world.logged(other)
    assert await all_done(purging) == 0
    await world.execute("UPDATE chat.log_purge SET due_at = now()")
    assert await all_done(purging) == 1, "it was looked at once more"
    assert await world.rows("SELECT * FROM chat.log_purge") == []
    with pytest.raises(Refused):
        await world.ask(ReplayRun(owner=OWNER, run_id=key.run))


@pytest.mark.parametrize("soon", [True, False], ids=["soon", "when the bus has forgotten"])
async def test_a_late_worker_of_a_deleted_run_leaves_nothing_either(world: World, soon: bool) -> None:
    """Stopped before a worker took it, deleted, purged: and then a worker takes it. Of its ending nobody hears if that
    is soon, for the bus takes the fact for the first one's repetition.
    """
    purging = retention(await world.replica())
    key = await world.begin()
    await world.cancel(key)
    await until(lambda: marked(world, key))
    await world.delete(key)
    await all_done(purging)
    fact = await (await world.work_on(key)).finish("for nobody")
    if soon:
        await world.tell(fact)
        assert await all_done(purging) == 0
        await world.execute("UPDATE chat.log_purge SET due_at = now()")
    else:
        await world.bus.client.jetstream().publish(fact.subject(), fact.model_dump_json(exclude_none=True).encode())

    async def purged_again() -> bool:
        await all_done(purging)
        return not await world.logged(key)

    await until(purged_again)


async def test_a_purge_that_is_asked_for_during_the_purge_is_done_again(world: World) -> None:
    database = (await world.replica())._database
    await PURGES.ask(database, OWNER, "chat_x")
    first = await PURGES.following(database)
    assert first is not None
    await PURGES.ask(database, OWNER, "chat_x")
    await PURGES.done(database, first)
    await PURGES.again(database, first, 60, purged=True)
    again = await PURGES.following(database)
    assert again is not None
    await PURGES.done(database, again)
    assert await PURGES.following(database) is None


async def test_long_texts_go_with_their_run(world: World) -> None:
    service = await world.replica(max_message_characters=1_000_000)
    key = await world.begin(LONG)
    worker = await world.work_on(key)
    for name in ("text", "reasoning", "snapshot 1", "snapshot 2"):
        await service._blobs.put(f"{key.run}.{name}", LONG.encode())
    for number in (1, 2):
        await snapshot(world, key, number)
    ending: dict[str, Any] = {"text_ref": f"{key.run}.text", "reasoning_ref": f"{key.run}.reasoning"}
    await world.tell(await worker.finish("", **ending))
    await until(lambda: marked(world, key))
    assert (await world.reply(key))["content"] == LONG
    assert len(await kept(world)) == 5, "the question is one of them"
    await age(world, key)
    await all_done(retention(service))
    assert await world.logged(key) == {}
    assert await kept(world) == {}


async def kept(world: World) -> dict[str, int]:
    """The contents of the object store."""
    return await subjects_of(world.bus.client, "OBJ_blobs", "$O.blobs.C.>")


async def test_an_order_that_cannot_be_carried_out_keeps_no_other_waiting(world: World) -> None:
    """And never purges what is somebody else's."""
    purging = retention(await world.replica())
    key, other = await completed(world), await completed(world)
    await world.execute("INSERT INTO chat.log_purge VALUES ('*', 't', 'u', false, now() - interval '1 hour')")
    await world.delete(key)
    assert await all_done(purging) == 2
    assert await world.logged(key) == {}
    assert await world.logged(other)


@pytest.mark.parametrize("key", [RunKey("*", "u", "chat_x"), RunKey("t", ">", "chat_x"), RunKey("t", "u", "chat.x")])
async def test_only_a_whole_key_is_purged(world: World, key: RunKey) -> None:
    with pytest.raises(ValueError, match="no part"):
        await purge_run(world.bus, key)


async def test_only_one_replica_purges(world: World) -> None:
    one, two = retention(await world.replica(), "one"), retention(await world.replica(), "two")
    assert await one.step() is None
    await world.delete(await completed(world))
    assert await two.step() is None
    assert await one.step() is not None


async def test_snapshots_go_with_their_run(world: World) -> None:
    purging = retention(await world.replica())
    key = await completed(world)
    await snapshot(world, key, 1)
    await world.delete(key)
    await all_done(purging)
    assert await world.logged(key) == {}


async def snapshot(world: World, key: RunKey, number: int) -> None:
    """Of the answer so far, which is kept elsewhere."""
    common: dict[str, Any] = {"lane": "main", "at": 1, "attempt": 1, "model": "m", "provider": "p"}
    event = events.GenerationSnapshot(**common, covers=number, text_ref=f"{key.run}.snapshot {number}")
    await world.bus.client.jetstream().publish(key.lane("main~s"), events.encode(event))


async def test_an_order_for_what_is_not_kept_any_more_is_carried_out(world: World) -> None:
    """The bus drops old texts by itself, and a purge that was interrupted has dropped them."""
    purging = retention(await world.replica())
    key = await world.begin()
    worker = await world.work_on(key)
    await worker.say("all")
    await world.tell(await worker.finish("", text_ref="gone"))
    await until(lambda: marked(world, key))
    await world.execute("INSERT INTO chat.log_purge VALUES ($1, 't', 'u', true, now())", key.run)
    await all_done(purging)
    assert await world.logged(key) == {}
