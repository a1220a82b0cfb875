"""A conversation that was said elsewhere: stored once, and gone on with like any other."""

import asyncio
import base64
from typing import Any

import pytest

from contracts.chat import Conversation, DeleteConversation, ForkConversation, GetAttachment, ImportConversation
from contracts.content import Image, Turn
from contracts.message import Owner
from kit.ids import new_id
from tests.fixtures.bus import held
from tests.fixtures.polling import until
from tests.integration.chat.asking import answer, key_of, message, refused, said, shown, texts, told_to_the_model
from tests.integration.chat.test_branches import again
from tests.integration.chat.world import OWNER, World

OTHER = Owner(tenant="t", user="somebody-else")
CAT = Image(media_type="image/png", data=base64.b64encode(b"\x89PNG\r\n\x1a\n a cat").decode())
SYSTEM = Turn(role="system", content="Be brief.")
TALK = (Turn(role="user", content="One"), Turn(role="assistant", content="1"))


def brought(*turns: Turn, **more: Any) -> ImportConversation:
    asked = {"owner": OWNER, "conversation_id": new_id("conv"), "turns": turns or (SYSTEM, *TALK), "model": "dear"}
    return ImportConversation(**{**asked, **more})


async def test_the_next_message_goes_on_behind_what_was_imported(world: World) -> None:
    await world.replica()
    more = (Turn(role="user", content="Two", images=(CAT,)), Turn(role="assistant", content="2"))
    asked = brought(SYSTEM, *TALK, *more)
    conversation: Conversation = await world.ask(asked)
    assert (conversation.title, conversation.system) == ("One", "Be brief.")
    stored = await shown(world, conversation.id)
    assert [(each.role, each.content, each.status, each.model) for each in stored] == [
        ("user", "One", "completed", None),
        ("assistant", "1", "completed", None),
        ("user", "Two", "completed", None),
        ("assistant", "2", "completed", "dear"),
    ]
    assert [each.parent_id for each in stored] == [None, *(each.id for each in stored[:-1])]
    assert conversation.head_id == stored[-1].id
    kept = GetAttachment(owner=OWNER, conversation_id=conversation.id, attachment=stored[2].images[0].attachment)
    assert (await world.ask(kept)).data == CAT.data
    key = key_of(await world.ask(message(conversation.id, "Three", model="sees")))
    order = await world.ordered(key)
    assert order.messages == (*asked.turns, Turn(role="user", content="Three"))
    await answer(world, key, "3")
    assert await texts(world, conversation.id) == ["One", "1", "Two", "2", "Three", "3"]


async def test_what_was_imported_has_branches_like_everything(world: World) -> None:
    await world.replica()
    conversation = (await world.ask(brought())).id
    question, reply = await shown(world, conversation)
    key = key_of(await world.ask(again(conversation, reply.id)))
    assert await told_to_the_model(world, key) == ["Be brief.", "One"]
    await answer(world, key, "1!")
    assert await texts(world, conversation) == ["One", "1!"]
    await said(world, conversation, "Eins", "1?", edits=question.id)
    assert await texts(world, conversation) == ["Eins", "1?"]
    fork = ForkConversation(
        owner=OWNER, conversation_id=conversation, new_conversation_id=new_id("conv"), message_id=reply.id
    )
    assert await texts(world, (await world.ask(fork)).id) == ["One", "1"]


async def test_the_same_id_again_is_the_same_conversation_as_it_is_now(world: World) -> None:
    await world.replica()
    asked = brought(*TALK)
    first, *others = await asyncio.gather(*(world.ask(asked) for _ in range(4)))
    assert all(each == first for each in others)
    await said(world, first.id, "Two", "2")
    assert (await world.ask(asked)).id == first.id
    assert await texts(world, first.id) == ["One", "1", "Two", "2"]
    await world.ask(DeleteConversation(owner=OWNER, conversation_id=first.id))
    await world.ask(asked)
    assert await texts(world, first.id) == ["One", "1"]


async def test_an_id_of_somebody_else_is_refused_and_changes_nothing(world: World) -> None:
    await world.replica()
    theirs = brought(*TALK, owner=OTHER)
    await world.ask(theirs)
    mine = brought(Turn(role="user", content="Mine"), TALK[1], conversation_id=theirs.conversation_id)
    assert await refused(world, mine) == "invalid_request"
    rows = await world.rows("SELECT content FROM chat.message WHERE conversation_id = $1", theirs.conversation_id)
    assert sorted(row["content"] for row in rows) == ["1", "One"]


async def test_it_is_told_once(world: World) -> None:
    await world.replica()
    asked = brought()
    for _ in range(2):
        await world.ask(asked)
    told = await until(lambda: facts_about(world, asked.conversation_id))
    assert told == ["evt.chat.conversation.created"]


async def facts_about(world: World, conversation: str) -> list[str]:
    """The subjects of what was told of a conversation."""
    facts = await held(world.bus.client, "EVENTS")
    return [fact.subject for fact in facts if conversation.encode() in fact.data]


@pytest.mark.parametrize(
    ("turns", "code"),
    [
        ((SYSTEM,), "invalid_turns"),
        ((TALK[0],), "invalid_turns"),
        ((TALK[1],), "invalid_turns"),
        ((TALK[0], SYSTEM, TALK[1]), "invalid_turns"),
        ((TALK[0], Turn(role="assistant", content="1", images=(CAT,))), "invalid_turns"),
        ((Turn(role="user", content=" "), TALK[1]), "empty_message"),
        ((TALK[0], Turn(role="assistant", content="")), "empty_message"),
        ((TALK[0], Turn(role="tool"), TALK[1]), "tools_not_supported"),
        ((Turn(role="user", content="a\x00b"), TALK[1]), "invalid_text"),
        ((Turn(role="system", content="s" * 100_001), *TALK), "system_too_long"),
        (
            (Turn(role="user", content="x", images=(Image(media_type="image/gif", data="aGk="),)), TALK[1]),
            "invalid_image",
        ),
        ((Turn(role="user", content="x", images=(Image(attachment="att_1"),)), TALK[1]), "invalid_image"),
    ],
)
async def test_what_is_no_conversation_is_refused(world: World, turns: tuple[Turn, ...], code: str) -> None:
    await world.replica()
    asked = brought(*turns)
    assert await refused(world, asked) == code
    assert not await world.rows("SELECT id FROM chat.conversation WHERE id = $1", asked.conversation_id)


async def test_limits_are_those_of_contexts_that_clients_bring(world: World) -> None:
    await world.replica(max_context_characters=500, max_context_images=1)
    pictures = Turn(role="user", content="Two", images=(CAT, Image(url="https://x.y/z")))
    assert await refused(world, brought(pictures, TALK[1])) == "too_many_images"
    assert await refused(world, brought(TALK[0], Turn(role="assistant", content="x" * 500))) == "message_too_long"
    assert await refused(world, brought(title="t" * 201)) == "title_too_long"


async def test_a_long_conversation_is_stored_whole_and_in_order(world: World) -> None:
    await world.replica()
    turns = [Turn(role=("user", "assistant")[number % 2], content=f"{number} " + "x" * 2_000) for number in range(400)]  # type: ignore[arg-type]
    conversation = (await world.ask(brought(*turns))).id
    rows = await world.rows(
        "SELECT content FROM chat.message WHERE conversation_id = $1 ORDER BY position", conversation
    )
    assert [row["content"] for row in rows] == [turn.content for turn in turns]
