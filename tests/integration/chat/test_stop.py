"""Which run is the newest of a conversation, and stopping whatever goes on there."""

import asyncio

from contracts.chat import LatestRun, Run, StopConversation
from contracts.message import Owner
from kit.ids import new_id
from tests.integration.chat.asking import conversation_of, key_of, message, refused, said, shown
from tests.integration.chat.world import OWNER, World

OTHER = Owner(tenant="t", user="somebody-else")


async def test_the_newest_run_is_told_with_its_text(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, ("One", "1"), ("Two", "2"))
    latest = LatestRun(owner=OWNER, conversation_id=conversation)
    over: Run = await world.ask(latest)
    assert (over.text, over.status, over.conversation_id) == ("2", "completed", conversation)
    key = key_of(await world.ask(message(conversation, "Three")))
    worker = await world.work_on(key)
    await worker.say("so far")
    going: Run = await world.ask(latest)
    assert (going.id, going.text, going.status) == (key.run, "so far", "running")
    await worker.die()


async def test_a_conversation_without_runs_has_no_newest_one(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, ("One", "1"))
    await world.execute("DELETE FROM chat.run WHERE conversation_id = $1", conversation)
    assert await refused(world, LatestRun(owner=OWNER, conversation_id=conversation)) == "unknown_run"


async def test_only_the_owner_is_told_and_can_stop(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    key = key_of(await world.ask(message(conversation, create=True)))
    for given in (conversation, "conv_unknown"):
        for kind in (LatestRun, StopConversation):
            assert await refused(world, kind(owner=OTHER, conversation_id=given)) == "unknown_conversation"
    assert (await world.row(key))["status"] == "running"


async def test_a_stop_ends_the_run_and_keeps_what_was_written(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    key = key_of(await world.ask(message(conversation, create=True)))
    worker = await world.work_on(key)
    await worker.say("so far")
    await worker.die()
    stop = StopConversation(owner=OWNER, conversation_id=conversation)
    stopped: list[Run] = await asyncio.gather(*(world.ask(stop) for _ in range(3)))
    stopped.append(await world.ask(stop))
    assert {(each.id, each.status, each.text) for each in stopped} == {(key.run, "cancelled", "so far")}
    assert [each.content for each in await shown(world, conversation)] == ["Hello", "so far"]
    assert await world.run_lane(key) == ["run.created", "run.cancelled"]
    await said(world, conversation, "Next", "can begin at once")
