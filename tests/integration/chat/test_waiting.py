"""Messages that come while an answer is running: they wait in their order, or stop what is going."""

import asyncio
from typing import Any

import pytest

from contracts import chat, events
from contracts.chat import CancelRun, DeleteConversation, Run, StopConversation
from contracts.ids import MAIN_LANE, RUN_LANE
from kit.ids import new_id
from kit.runlog.lane import RunKey
from services.chat import path_store
from services.chat.promoter import Promoter
from tests.fixtures.polling import until
from tests.integration.chat.asking import (
    answer,
    conversation_of,
    key_of,
    message,
    refused,
    shown,
    texts,
    told_to_the_model,
)
from tests.integration.chat.test_branches import again
from tests.integration.chat.world import OWNER, World


async def busy(world: World, conversation: str) -> RunKey:
    """A run that is going in a conversation."""
    return key_of(await world.ask(message(conversation, "Busy", create_missing=True)))


async def queued(world: World, conversation: str, *contents: str, **more: Any) -> list[RunKey]:
    """Runs that wait behind it."""
    asked = [message(conversation, content, on_busy="queue", **more) for content in contents]
    return [key_of(await world.ask(each)) for each in asked]


async def status(world: World, key: RunKey) -> str:
    return str((await world.row(key))["status"])


async def runs(world: World, key: RunKey) -> bool:
    return await status(world, key) == "running"


async def test_they_begin_in_their_order_and_know_what_was_said_before(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    first = await busy(world, conversation)
    waiting = await queued(world, conversation, "One", "Two")
    assert [await status(world, key) for key in waiting] == ["queued", "queued"]
    assert [(each.content, each.status) for each in await shown(world, conversation)] == [
        ("Busy", "completed"), ("One", "queued"), ("Two", "queued"),
    ]  # fmt: skip
    await answer(world, first, "0")
    for number, key in enumerate(waiting, start=1):
        await until(lambda key=key: runs(world, key))
        await answer(world, key, str(number))
    assert await texts(world, conversation) == ["Busy", "0", "One", "1", "Two", "2"]
    assert await told_to_the_model(world, waiting[1]) == ["Busy", "0", "One", "1", "Two"]
    everything = await shown(world, conversation, all_branches=True)
    assert [each.parent_id for each in everything] == [None, *(each.id for each in everything[:-1])]


async def test_a_waiting_run_tells_that_it_waits_and_then_all_like_any_other(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    first = await busy(world, conversation)
    waiting = await queued(world, conversation, "One", "Two")
    created, told = await world.lane(waiting[1], RUN_LANE)
    assert (events.type_of(created), events.type_of(told), told.ahead) == ("run.created", "run.queued", 2)
    await world.ask(StopConversation(owner=OWNER, conversation_id=conversation))
    conversation = new_id("conv")
    first = await busy(world, conversation)
    (key,) = await queued(world, conversation, "One")
    await answer(world, first, "0")
    await until(lambda: runs(world, key))
    await answer(world, key, "1")
    assert await world.run_lane(key) == ["run.created", "run.queued", "run.completed"]
    facts = [subject for subject in (await world.facts())[key.run] if subject.startswith("evt.chat.")]
    assert facts == ["evt.chat.run.created", "evt.chat.run.completed"]


async def test_without_anything_to_wait_for_it_begins_at_once(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, ("One", "1"))
    (key,) = await queued(world, conversation, "Two")
    assert await status(world, key) == "running"
    assert await world.run_lane(key) == ["run.created"]


async def test_others_do_not_overtake_those_that_wait(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    first = await busy(world, conversation)
    (key,) = await queued(world, conversation, "One")
    assert await refused(world, message(conversation, "Me first")) == "run_in_progress"
    await world.execute("UPDATE chat.run SET status = 'completed', ended_at = now() WHERE id = $1", first.run)
    assert await refused(world, message(conversation, "Me first")) == "run_in_progress"
    assert await status(world, key) == "queued"


async def test_many_at_once_all_get_their_turn(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    first = await busy(world, conversation)
    asked = [message(conversation, f"Number {number}", on_busy="queue") for number in range(8)]
    outcomes = await asyncio.gather(*map(world.ask, asked), return_exceptions=True)
    accepted = [key_of(each) for each in outcomes if isinstance(each, chat.RunStarted)]
    assert len(accepted) >= 5, outcomes
    rows = await world.rows("SELECT id FROM chat.run WHERE conversation_id = $1 ORDER BY position", conversation)
    in_order = [RunKey(OWNER.tenant, OWNER.user, row["id"]) for row in rows]
    assert {key.run for key in in_order} == {first.run, *(key.run for key in accepted)}
    for number, key in enumerate(in_order):
        await until(lambda key=key: runs(world, key))
        await answer(world, key, str(number))
    assert (await texts(world, conversation))[1::2] == [str(number) for number in range(len(in_order))]


async def test_a_limit_of_those_that_wait(world: World) -> None:
    await world.replica(max_waiting_runs=2)
    conversation = new_id("conv")
    await busy(world, conversation)
    await queued(world, conversation, "One", "Two")
    assert await refused(world, message(conversation, "Three", on_busy="queue")) == "too_many_waiting"


async def test_one_that_waits_can_be_stopped_and_the_others_go_on(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    first = await busy(world, conversation)
    one, two = await queued(world, conversation, "One", "Two")
    for _ in range(2):
        await world.ask(CancelRun(owner=OWNER, run_id=one.run))
        await until(lambda: world.is_told(one))
    assert await world.run_lane(one) == ["run.created", "run.queued", "run.cancelled"]
    assert [events.type_of(event) for event in await world.lane(one, MAIN_LANE)] == ["generation.cancelled"]
    await answer(world, first, "0")
    await until(lambda: runs(world, two))
    await answer(world, two, "2")
    assert await texts(world, conversation) == ["Busy", "0", "Two", "2"]
    stopped = [each for each in await shown(world, conversation, all_branches=True) if each.status == "cancelled"]
    assert [(each.role, each.content) for each in stopped] == [("user", "One"), ("assistant", "")]


async def test_a_stop_ends_all_that_go_on_and_wait(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    first = await busy(world, conversation)
    waiting = await queued(world, conversation, "One", "Two")
    newest: Run = await world.ask(StopConversation(owner=OWNER, conversation_id=conversation))
    assert (newest.id, newest.status) == (waiting[-1].run, "cancelled")
    assert [await status(world, key) for key in (first, *waiting)] == ["cancelled"] * 3
    await world.ask(DeleteConversation(owner=OWNER, conversation_id=conversation))


async def test_a_conversation_in_which_runs_wait_is_not_deleted(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    first = await busy(world, conversation)
    await queued(world, conversation, "One")
    await world.execute("UPDATE chat.run SET status = 'completed', ended_at = now() WHERE id = $1", first.run)
    assert await refused(world, DeleteConversation(owner=OWNER, conversation_id=conversation)) == "run_in_progress"


async def test_an_interrupting_message_stops_all_and_is_answered(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    first = await busy(world, conversation)
    worker = await world.work_on(first)
    await worker.say("so far")
    (waiting,) = await queued(world, conversation, "One")
    asking = asyncio.create_task(world.ask(message(conversation, "Now", on_busy="interrupt")))
    await until(lambda: _is_stopping(worker))
    await worker.finish("so far", events.GenerationCancelled)
    await worker.stops[0].respond(b"")
    await worker.die()
    key = key_of(await asking)
    assert [await status(world, each) for each in (first, waiting, key)] == ["cancelled", "cancelled", "running"]
    assert await told_to_the_model(world, key) == ["Busy", "so far", "Now"]
    await answer(world, key, "!")
    assert await texts(world, conversation) == ["Busy", "so far", "Now", "!"]


async def _is_stopping(worker: Any) -> bool:
    return bool(worker.stops)


async def test_an_interrupting_message_that_comes_with_the_end_loses_nothing(world: World) -> None:
    await world.replica()
    for _ in range(4):
        conversation = new_id("conv")
        first = await busy(world, conversation)
        worker = await world.work_on(first)
        ended, key = await asyncio.gather(
            _ends(world, worker), world.ask(message(conversation, "Now", on_busy="interrupt"))
        )
        assert ended
        await until(lambda first=first: world.is_told(first))
        await answer(world, key_of(key), "!")
        assert await texts(world, conversation) == ["Busy", "all of it", "Now", "!"]


@pytest.mark.parametrize("target", ["head", "edit"])
async def test_a_message_follows_the_answer_that_ended_while_it_was_being_sent(
    world: World, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    await world.replica()
    conversation = await conversation_of(world, ("One", "1"))
    question = (await shown(world, conversation))[0]
    first = await busy(world, conversation)
    reads = path_store.past

    async def read_and_ended(*arguments: Any) -> Any:
        read = await reads(*arguments)
        monkeypatch.setattr(path_store, "past", reads)
        await answer(world, first, "0")
        return read

    monkeypatch.setattr(path_store, "past", read_and_ended)
    key = key_of(await world.ask(message(conversation, "Next", edits=question.id if target == "edit" else None)))
    before = ["One", "1", "Busy", "0"] if target == "head" else []
    assert await told_to_the_model(world, key) == [*before, "Next"]
    assert await texts(world, conversation) == [*before, "Next"]


async def _ends(world: World, worker: Any) -> bool:
    await world.tell(await worker.finish("all of it"))
    await worker.die()
    return True


async def test_a_further_answer_can_wait_too(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, ("One", "1"))
    reply = (await shown(world, conversation))[-1]
    first = await busy(world, conversation)
    key = key_of(await world.ask(again(conversation, reply.id, on_busy="queue")))
    assert await status(world, key) == "queued"
    await answer(world, first, "0")
    await until(lambda: runs(world, key))
    assert await told_to_the_model(world, key) == ["One"]
    await answer(world, key, "1!")
    assert await texts(world, conversation) == ["One", "1!"]


async def test_an_edit_that_waits_goes_where_it_was_meant(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, ("One", "1"))
    question = (await shown(world, conversation))[0]
    first = await busy(world, conversation)
    (key,) = await queued(world, conversation, "Eins", edits=question.id)
    await answer(world, first, "0")
    await until(lambda: runs(world, key))
    await answer(world, key, "1!")
    assert await texts(world, conversation) == ["Eins", "1!"]


async def test_a_waiting_message_sent_again_is_the_same_run(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    await busy(world, conversation)
    for more in ({"client_id": "msg-1"}, {"idempotency_key": "k"}):
        asked = message(conversation, "One", on_busy="queue", **more)
        first = await world.ask(asked)
        repeated = await world.ask(asked.model_copy(update={"run_id": new_id("chat")}))
        assert (repeated.run_id, repeated.replayed) == (first.run_id, True)


async def test_one_that_does_not_fit_any_more_fails_and_says_why(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    first = await busy(world, conversation)
    (key,) = await queued(world, conversation, "x" * 3_000, model="small")
    await world.execute("UPDATE chat.conversation SET system = $2 WHERE id = $1", conversation, "y" * 3_000)
    await answer(world, first, "0")
    await until(lambda: world.is_told(key))
    assert (await world.row(key))["status"] == "failed"
    (ending,) = await world.lane(key, MAIN_LANE)
    assert ending.error.code == "context_too_long"
    assert await texts(world, conversation) == ["Busy", "0"]


@pytest.mark.parametrize("lost", ["promotion", "order"])
async def test_chat_that_dies_when_it_should_let_one_begin_is_made_up_for(
    world: World, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """What another replica, or the same one after its restart, finds in the tables."""
    await world.replica()
    conversation = new_id("conv")
    first = await busy(world, conversation)
    (key,) = await queued(world, conversation, "One")
    dispatcher = world.replicas[0]._dispatcher

    async def dies(*_: Any) -> None:
        raise RuntimeError("here it dies")

    with monkeypatch.context() as patched:
        if lost == "promotion":
            patched.setattr(Promoter, "_promote", dies)
        else:
            patched.setattr(dispatcher, "dispatch", dies)
        await answer(world, first, "0")
    assert await status(world, key) == ("queued" if lost == "promotion" else "running")
    await world.execute("UPDATE chat.run SET promoted_at = promoted_at - interval '1 minute'")
    await world.replica(sweep_seconds=0.05)

    async def ordered() -> bool:
        return bool((await world.row(key))["dispatched_at"])

    await until(ordered)
    assert (await world.ordered(key)).messages[-1].content == "One"
    await answer(world, key, "1")
    assert await texts(world, conversation) == ["Busy", "0", "One", "1"]
    assert await world.run_lane(key) == ["run.created", "run.queued", "run.completed"]
    facts = [subject for subject in (await world.facts())[key.run] if subject == "evt.chat.run.created"]
    assert len(facts) == 1


async def test_chat_that_dies_before_it_has_said_that_one_waits_is_made_up_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.replica()
    conversation = new_id("conv")
    await busy(world, conversation)

    async def dies(*_: Any) -> None:
        raise RuntimeError("here it dies")

    with monkeypatch.context() as patched:
        patched.setattr(world.replicas[0]._dispatcher, "dispatch", dies)
        (key,) = await queued(world, conversation, "One")
    assert await world.run_lane(key) == []
    await world.execute("UPDATE chat.run SET created_at = created_at - interval '1 minute' WHERE id = $1", key.run)
    await world.replica(sweep_seconds=0.05)

    async def announced() -> bool:
        return bool((await world.row(key))["announced_at"])

    await until(announced)
    assert await world.run_lane(key) == ["run.created", "run.queued"]


async def test_the_watchdog_leaves_those_alone_that_wait(world: World) -> None:
    service = await world.replica(unanswered_seconds=0.05)
    conversation = new_id("conv")
    first = await busy(world, conversation)
    (key,) = await queued(world, conversation, "One")
    worker = await world.work_on(first)
    for _ in range(4):
        await service._watchdog.look()
        await asyncio.sleep(0.05)  # as long as its patience
    assert await status(world, key) == "queued"
    await worker.die()
