"""Images and results of tools: kept, shown, and told to the model."""

import base64
from typing import Any

import pytest

from contracts import events
from contracts.chat import Attachment, DeleteConversation, ForkConversation, GetAttachment
from contracts.content import Image, ToolResult, ToolUse
from contracts.message import Owner
from kit.ids import new_id
from tests.integration.chat.asking import answer, conversation_of, key_of, message, refused, said, shown, texts
from tests.integration.chat.world import OWNER, World

OTHER = Owner(tenant="t", user="somebody-else")
BYTES = {
    "image/png": b"\x89PNG\r\n\x1a\n and more",
    "image/jpeg": b"\xff\xd8\xff and more",
    "image/gif": b"GIF89a and more",
    "image/webp": b"RIFF\x00\x00\x00\x00WEBP and more",
}
CALL = events.ToolCall("call_1", "weather", '{"where": "Berlin"}')
RESULT = ToolResult(call_id="call_1", name="weather", output="rain")


def image(media_type: str = "image/png", more: bytes = b"") -> Image:
    return Image(media_type=media_type, data=base64.b64encode(BYTES[media_type] + more).decode())


@pytest.mark.parametrize("media_type", BYTES)
async def test_an_image_is_shown_to_the_model_and_to_its_owner(world: World, media_type: str) -> None:
    await world.replica()
    conversation = new_id("conv")
    sent = image(media_type)
    key = key_of(
        await world.ask(message(conversation, "", create=True, model="sees", images=(sent, Image(url="https://x.y/z"))))
    )
    assert (await world.ordered(key)).messages[0].images == (sent, Image(url="https://x.y/z"))
    await answer(world, key, "A cat")
    (shown_image, url), _ = [each.images for each in await shown(world, conversation)]
    assert (shown_image.media_type, shown_image.data, url.url) == (media_type, None, "https://x.y/z")
    of: dict[str, Any] = {"conversation_id": conversation, "attachment": shown_image.attachment}
    assert await world.ask(GetAttachment(owner=OWNER, **of)) == Attachment(media_type=media_type, data=sent.data)
    assert await refused(world, GetAttachment(owner=OTHER, **of)) == "unknown_attachment"
    key = key_of(await world.ask(message(conversation, "Sure?", model="sees")))
    assert (await world.ordered(key)).messages[0].images == (sent, Image(url="https://x.y/z"))
    assert sent.data not in (await world.row(key))["request"]


async def test_a_model_that_cannot_see_is_told_that_there_was_an_image(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    await said(world, conversation, "", "A cat", create=True, model="sees", images=(image(),))
    key = key_of(await world.ask(message(conversation, "Sure?")))
    turns = (await world.ordered(key)).messages
    assert [(turn.content, turn.images) for turn in turns] == [("[image]", ()), ("A cat", ()), ("Sure?", ())]
    await answer(world, key, "Yes")
    assert await refused(world, message(conversation, images=(image(),))) == "images_not_supported"


async def test_the_same_image_is_kept_once_and_goes_with_its_conversation(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    for _ in range(2):
        more: dict[str, Any] = {"create_missing": True, "model": "sees", "images": (image(), image())}
        await said(world, conversation, "What is it?", "A cat", **more)
    kept = "SELECT id FROM chat.attachment WHERE conversation_id = $1"
    assert len(await world.rows(kept, conversation)) == 1
    fork = await world.ask(
        ForkConversation(owner=OWNER, conversation_id=conversation, new_conversation_id=new_id("conv"))
    )
    key = key_of(await world.ask(message(fork.id, "Sure?", model="sees")))
    await world.ask(_delete(conversation))
    assert (await world.rows(kept, conversation), len(await world.rows(kept, fork.id))) == ([], 1)
    assert (await world.ordered(key)).messages[0].images == (image(), image())


def _delete(conversation: str) -> Any:
    return DeleteConversation(owner=OWNER, conversation_id=conversation)


@pytest.mark.parametrize(
    ("images", "code"),
    [
        ((image(),) * 11, "too_many_images"),
        ((image(more=b"x" * 2_000),), "image_too_large"),
        ((Image(media_type="image/png", data=base64.b64encode(BYTES["image/gif"]).decode()),), "invalid_image"),
        ((Image(media_type="image/webp", data=base64.b64encode(b"RIFF1234WAVE").decode()),), "invalid_image"),
        ((Image(media_type="image/png", data="not base64"),), "invalid_image"),
        ((Image(media_type="image/png", data=""),), "invalid_image"),
        ((Image(attachment="att_x"),), "invalid_image"),
        ((Image(url="https://x.y/" + "z" * 2_048),), "invalid_image"),
        ((Image(url="https://x.y/\x00"),), "invalid_image"),
    ],
    ids=lambda value: value if isinstance(value, str) else "images",
)
async def test_what_is_no_image_is_refused(world: World, images: tuple[Image, ...], code: str) -> None:
    await world.replica(max_image_bytes=2_000)
    assert await refused(world, message(new_id("conv"), create=True, model="sees", images=images)) == code
    assert await world.rows("SELECT FROM chat.run") == []


async def asked_for_a_tool(world: World, *calls: events.ToolCall) -> str:
    conversation = new_id("conv")
    key = key_of(await world.ask(message(conversation, "Weather?", create=True)))
    await answer(world, key, "Let me see.", finish_reason="tool_calls", tool_calls=calls or (CALL,))
    return conversation


async def test_results_of_tools_go_back_to_the_model(world: World) -> None:
    await world.replica()
    conversation = await asked_for_a_tool(world)
    assert (await shown(world, conversation))[-1].tool_calls == (
        ToolUse(call_id="call_1", name="weather", arguments='{"where": "Berlin"}'),
    )
    key = key_of(await world.ask(message(conversation, "", tool_results=(RESULT,))))
    turns = (await world.ordered(key)).messages
    assert [turn.role for turn in turns] == ["user", "assistant", "tool"]
    assert (turns[1].tool_calls[0].arguments, turns[2].results) == ('{"where": "Berlin"}', (RESULT,))
    await answer(world, key, "It rains.")
    assert (await shown(world, conversation))[2].tool_results == (RESULT,)
    key = key_of(await world.ask(message(conversation, "And tomorrow?")))
    assert [turn.role for turn in (await world.ordered(key)).messages] == [
        "user", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip


async def test_a_call_that_nobody_answered_is_not_told_again(world: World) -> None:
    await world.replica()
    conversation = await asked_for_a_tool(world)
    key = key_of(await world.ask(message(conversation, "Never mind.")))
    turns = (await world.ordered(key)).messages
    assert [(turn.role, turn.tool_calls) for turn in turns] == [("user", ()), ("assistant", ()), ("user", ())]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"content": "", "tool_results": (ToolResult(call_id="call_2", output="x"),)}, "unknown_tool_call"),
        ({"content": "", "tool_results": (RESULT, RESULT)}, "invalid_message"),
        ({"content": "and text", "tool_results": (RESULT,)}, "invalid_message"),
        ({"content": "", "tool_results": (RESULT,), "images": (image(),), "model": "sees"}, "invalid_message"),
        ({"content": "", "tool_results": (ToolResult(call_id="call_1", output="\x00"),)}, "invalid_text"),
        ({"content": "", "tool_results": (ToolResult(call_id="call_1", output="x" * 101),)}, "message_too_long"),
    ],
    ids=lambda value: value if isinstance(value, str) else "more",
)
async def test_results_that_make_no_sense_are_refused(world: World, more: dict[str, Any], code: str) -> None:
    await world.replica(max_tool_result_characters=100)
    conversation = await asked_for_a_tool(world)
    assert await refused(world, message(conversation, **more)) == code
    assert await texts(world, conversation) == ["Weather?", "Let me see."]


async def test_results_answer_only_the_answer_before_them(world: World) -> None:
    await world.replica()
    conversation = await asked_for_a_tool(world)
    await said(world, conversation, "Never mind.", "Fine.")
    results: dict[str, Any] = {"content": "", "tool_results": (RESULT,)}
    assert await refused(world, message(conversation, **results)) == "unknown_tool_call"
    reply = (await shown(world, conversation))[1]
    key = key_of(await world.ask(message(conversation, after=reply.id, **results)))
    assert (await world.ordered(key)).messages[-1].results == (RESULT,)
    await answer(world, key, "It rains.")
    fresh = await conversation_of(world, ("One", "1"))
    assert await refused(world, message(fresh, **results)) == "unknown_tool_call"
    assert await refused(world, message(new_id("conv"), create=True, **results)) == "unknown_tool_call"
