"""A conversation is a tree: edits, further answers and forks, and what each branch tells the model."""

import asyncio
from typing import Any

import pytest

from contracts import chat
from contracts.chat import (
    Conversation,
    DeleteConversation,
    ForkConversation,
    GetConversation,
    RateMessage,
    Rating,
    Regenerate,
    UpdateConversation,
)
from contracts.message import Owner
from kit.ids import new_id
from tests.integration.chat.asking import (
    answer,
    conversation_of,
    key_of,
    message,
    refused,
    said,
    shown,
    texts,
    told_to_the_model,
)
from tests.integration.chat.world import OWNER, World

OTHER = Owner(tenant="t", user="somebody-else")
TALK = (("One", "1"), ("Two", "2"), ("Three", "3"))


def again(conversation: str, message_id: str | None = None, **more: Any) -> Regenerate:
    asked = {"owner": OWNER, "run_id": new_id("chat"), "conversation_id": conversation, "model": "m"}
    return Regenerate(**{**asked, "message_id": message_id, **more})


async def show(world: World, conversation: str, head_id: str) -> Conversation:
    changed: Conversation = await world.ask(
        UpdateConversation(owner=OWNER, conversation_id=conversation, head_id=head_id)
    )
    return changed


async def test_an_edit_is_a_branch_beside_what_was_said(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, *TALK)
    before = await shown(world, conversation)
    key = await said(world, conversation, "Zwei", "2!", edits=before[2].id)
    assert await told_to_the_model(world, key) == ["One", "1", "Zwei"]
    assert await texts(world, conversation) == ["One", "1", "Zwei", "2!"]
    assert len(await shown(world, conversation, all_branches=True)) == 8
    await show(world, conversation, before[-1].id)
    assert await shown(world, conversation) == before
    key = await said(world, conversation, "Four", "4")
    assert await told_to_the_model(world, key) == ["One", "1", "Two", "2", "Three", "3", "Four"]


async def test_the_first_message_can_be_edited_too(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, *TALK)
    first, *_ = await shown(world, conversation)
    key = await said(world, conversation, "Eins", "1!", edits=first.id)
    assert await told_to_the_model(world, key) == ["Eins"]
    assert await texts(world, conversation) == ["Eins", "1!"]


async def test_a_message_may_follow_any_other(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, *TALK)
    before = await shown(world, conversation)
    key = await said(world, conversation, "Instead", "i", after=before[1].id)
    assert await told_to_the_model(world, key) == ["One", "1", "Instead"]
    assert await texts(world, conversation) == ["One", "1", "Instead", "i"]


async def test_another_answer_is_a_sibling_without_a_new_message(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, *TALK)
    before = await shown(world, conversation)
    key = key_of(await world.ask(again(conversation)))
    assert await texts(world, conversation) == ["One", "1", "Two", "2", "Three"], "the other answer is not shown"
    await answer(world, key, "3!")
    assert await told_to_the_model(world, key) == ["One", "1", "Two", "2", "Three"]
    now = await shown(world, conversation)
    assert [each.content for each in now] == ["One", "1", "Two", "2", "Three", "3!"]
    assert now[-1].parent_id == before[-1].parent_id
    for of in (before[3].id, before[2].id):  # the answer, and the message it answers
        key = key_of(await world.ask(again(conversation, of)))
        assert await told_to_the_model(world, key) == ["One", "1", "Two"]
        await answer(world, key, "2!")
        assert await texts(world, conversation) == ["One", "1", "Two", "2!"]
    assert len([one for one in await shown(world, conversation, all_branches=True) if one.role == "user"]) == 3


async def test_switching_while_an_answer_is_running_is_not_undone_by_its_end(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, *TALK)
    before = await shown(world, conversation)
    key = key_of(await world.ask(again(conversation)))
    await show(world, conversation, before[1].id)
    await answer(world, key, "3!")
    assert await texts(world, conversation) == ["One", "1"]


async def test_of_an_edit_a_message_and_a_further_answer_at_once_one_is_taken(world: World) -> None:
    await world.replica()
    for _ in range(3):
        conversation = await conversation_of(world, *TALK)
        before = await shown(world, conversation)
        asked = [message(conversation, "Next"), message(conversation, "Zwei", edits=before[2].id), again(conversation)]
        outcomes = await asyncio.gather(*map(world.ask, [*asked, *[again(conversation)]]), return_exceptions=True)
        (started,) = [each for each in outcomes if isinstance(each, chat.RunStarted)]
        await answer(world, key_of(started), "the only one")
        everything = await shown(world, conversation, all_branches=True)
        assert [each.content for each in everything].count("the only one") == 1
        assert len(everything) in (7, 8)


async def test_messages_that_are_not_there_are_refused(world: World) -> None:
    await world.replica()
    conversation, other = [await conversation_of(world, ("One", "1")) for _ in range(2)]
    elsewhere = (await shown(world, other))[0].id
    of: dict[str, Any] = {"owner": OWNER, "conversation_id": conversation}
    for unknown in ("msg_unknown", elsewhere):
        for request in (
            message(conversation, edits=unknown),
            message(conversation, after=unknown),
            again(conversation, unknown),
            UpdateConversation(**of, head_id=unknown),
            ForkConversation(**of, new_conversation_id=new_id("conv"), message_id=unknown),
            RateMessage(**of, message_id=unknown, rating=Rating(value="up")),
        ):
            assert await refused(world, request) == "unknown_message", request
    both = message(conversation, edits=elsewhere, after=elsewhere)
    assert await refused(world, both) == "invalid_message"
    empty = new_id("conv")
    await world.ask(chat.CreateConversation(owner=OWNER, conversation_id=empty))
    assert await refused(world, again(empty)) == "unknown_message"
    assert await texts(world, conversation) == ["One", "1"]


async def test_somebody_elses_conversation_has_no_branches_to_touch(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, ("One", "1"))
    question, reply = await shown(world, conversation)
    for given in (conversation, "conv_unknown"):
        of: dict[str, Any] = {"owner": OTHER, "conversation_id": given}
        for request in (
            again(given, owner=OTHER),
            again(given, reply.id, owner=OTHER),
            message(given, edits=question.id, owner=OTHER),
            ForkConversation(**of, new_conversation_id=new_id("conv")),
            UpdateConversation(**of, head_id=question.id),
            RateMessage(**of, message_id=reply.id, rating=Rating(value="up")),
        ):
            assert await refused(world, request) == "unknown_conversation", request


async def test_a_fork_has_the_branch_and_goes_its_own_way(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, *TALK)
    before = await shown(world, conversation)
    asked = ForkConversation(
        owner=OWNER, conversation_id=conversation, new_conversation_id=new_id("conv"), message_id=before[3].id
    )
    fork: Conversation = await world.ask(asked)
    assert (fork.forked_from, fork.title) == (conversation, "One")
    assert await world.ask(asked) == fork, "asked again, it is the same"
    copied = await shown(world, fork.id)
    assert [each.content for each in copied] == ["One", "1", "Two", "2"]
    assert not {each.id for each in copied} & {each.id for each in before}
    assert [each.parent_id for each in copied] == [None, *(each.id for each in copied[:-1])]
    assert fork.head_id == copied[-1].id
    assert [each.usage for each in copied] == [each.usage for each in before[:4]]
    key = await said(world, fork.id, "Four", "4")
    assert await told_to_the_model(world, key) == ["One", "1", "Two", "2", "Four"]
    await world.ask(DeleteConversation(owner=OWNER, conversation_id=conversation))
    assert await texts(world, fork.id) == ["One", "1", "Two", "2", "Four", "4"]


async def test_a_fork_of_an_edited_conversation_has_what_is_shown(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, *TALK)
    second = (await shown(world, conversation))[2]
    await said(world, conversation, "Zwei", "2!", edits=second.id)
    fork = await world.ask(
        ForkConversation(owner=OWNER, conversation_id=conversation, new_conversation_id=new_id("conv"))
    )
    assert await texts(world, fork.id) == ["One", "1", "Zwei", "2!"]
    assert len(await shown(world, fork.id, all_branches=True)) == 4


@pytest.mark.parametrize("archived", [False, True])
async def test_a_change_of_flags_keeps_the_branch(world: World, archived: bool) -> None:
    await world.replica()
    conversation = await conversation_of(world, *TALK)
    change = UpdateConversation(owner=OWNER, conversation_id=conversation, pinned=True, archived=archived)
    changed: Conversation = await world.ask(change)
    assert (changed.pinned, changed.archived) == (True, archived)
    again_ = await world.ask(GetConversation(owner=OWNER, conversation_id=conversation))
    assert again_.head_id == changed.head_id == (await shown(world, conversation))[-1].id
