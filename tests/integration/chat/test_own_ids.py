"""Clients that make their own ids of conversations and messages: what is sent again is not stored again."""

import asyncio
from typing import Any

import pytest

from contracts.chat import GetConversation, RunStarted
from contracts.message import Owner
from kit.ids import new_id
from tests.integration.chat.asking import answer, conversation_of, key_of, message, refused, said, shown, texts
from tests.integration.chat.world import OWNER, World

OTHER = Owner(tenant="t", user="somebody-else")


async def test_a_missing_conversation_is_begun_and_then_gone_on_with(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    await said(world, conversation, "One", "1", create_missing=True, system="Be brief.")
    await said(world, conversation, "Two", "2", create_missing=True, system="Another one counts only at the start.")
    assert await texts(world, conversation) == ["One", "1", "Two", "2"]
    assert (await world.ask(GetConversation(owner=OWNER, conversation_id=conversation))).system == "Be brief."


async def test_somebody_elses_conversation_is_neither_told_of_nor_touched(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, ("Mine", "Yours"))
    for more in ({}, {"create_missing": True}, {"create_missing": True, "on_busy": "interrupt"}, {"create": True}):
        asked = message(conversation, "Mine now", owner=OTHER, **more)
        assert await refused(world, asked) == "unknown_conversation"
    assert await texts(world, conversation) == ["Mine", "Yours"]
    assert await world.rows('SELECT FROM chat.run WHERE "user" = $1', OTHER.user) == []


async def test_of_many_that_begin_it_at_once_one_does(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    asked = [message(conversation, f"Number {number}", create_missing=True) for number in range(8)]
    outcomes = await asyncio.gather(*map(world.ask, asked), return_exceptions=True)
    begun = [outcome for outcome in outcomes if isinstance(outcome, RunStarted)]
    assert len(begun) == 1
    assert {outcome.problem.code for outcome in outcomes if outcome not in begun} == {"run_in_progress"}  # type: ignore[union-attr]
    assert len(await shown(world, conversation)) == 1


@pytest.mark.parametrize("ends", [False, True], ids=["running", "ended"])
async def test_a_message_sent_again_with_its_id_is_the_same_run(world: World, ends: bool) -> None:
    await world.replica()
    conversation = new_id("conv")
    asked: dict[str, Any] = {"create_missing": True, "client_id": "msg-1"}
    first = await world.ask(message(conversation, "Hello", **asked))
    if ends:
        await answer(world, key_of(first), "Hi")
    again = await world.ask(message(conversation, "Hello", **asked))
    assert (again.run_id, again.message_id, again.replayed) == (first.run_id, first.message_id, True)
    assert await refused(world, message(conversation, "Something else", **asked)) == "client_id_conflict"
    assert await texts(world, conversation) == ["Hello", "Hi"][: 1 + ends]


async def test_of_one_message_sent_many_times_at_once_one_is_stored(world: World) -> None:
    await world.replica()
    for conversation in (new_id("conv"), await conversation_of(world, ("One", "1"))):
        asked = [message(conversation, "Hello", create_missing=True, client_id="msg-1") for _ in range(8)]
        started = await asyncio.gather(*map(world.ask, asked))
        assert len({each.run_id for each in started}) == 1
        assert (await texts(world, conversation))[-1] == "Hello"


async def test_the_id_of_a_message_is_one_conversations(world: World) -> None:
    await world.replica()
    for _ in range(2):
        conversation = new_id("conv")
        await said(world, conversation, "Hello", "Hi", create_missing=True, client_id="msg-1")
        assert [each.client_id for each in await shown(world, conversation)] == ["msg-1", None]


async def test_an_edited_message_may_keep_its_id(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, ("One", "1"))
    await said(world, conversation, "Tow", "?", client_id="msg-2")
    for text, reply in (("Two", "2"), ("Two!", "2!")):
        await said(world, conversation, text, reply, client_id="msg-2", edits="msg-2")
        assert await texts(world, conversation) == ["One", "1", text, reply]
    everything = await shown(world, conversation, all_branches=True)
    assert [each.content for each in everything] == ["One", "1", "Tow", "?", "Two", "2", "Two!", "2!"]
    assert len({each.parent_id for each in everything if each.content.startswith("T")}) == 1
    assert [each.content for each in everything if each.client_id == "msg-2"] == ["Two!"]


async def test_the_same_request_twice_is_one_run(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    asked = message(conversation, create_missing=True)
    first = await world.ask(asked)
    assert await world.ask(asked) == first
    await answer(world, key_of(first), "Hi")
    assert await world.ask(asked) == first
    assert await texts(world, conversation) == ["Hello", "Hi"]


async def test_a_key_is_one_message_also_when_the_conversation_has_moved_on(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, ("One", "1"))
    asked = message(conversation, "Two", idempotency_key="k")
    first = await world.ask(asked)
    await answer(world, key_of(first), "2")
    await said(world, conversation, "Three", "3")
    again = await world.ask(asked.model_copy(update={"run_id": new_id("chat")}))
    assert (again.run_id, again.replayed) == (first.run_id, True)
    assert await texts(world, conversation) == ["One", "1", "Two", "2", "Three", "3"]
