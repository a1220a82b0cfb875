"""Answers without a conversation: they begin, go on from each other, are shown, and go, like runs do."""

import asyncio
import base64
import json
from typing import Any

import pytest

from contracts import chat, events
from contracts.chat import GetConversation, GetRun, ListConversations, ListMessages, ListRuns, SendMessage
from contracts.completions import Completion, DeleteCompletion, GetCompletion, StartCompletion
from contracts.content import Image, ToolResult, ToolUse, Turn
from contracts.generation import Parameters
from contracts.message import Owner
from kit.ids import new_id
from kit.runlog.lane import RunKey
from services.chat.completion_handlers import MAX_LABELS
from tests.fixtures.polling import until
from tests.integration.chat.asking import answer, refused
from tests.integration.chat.world import OWNER, World

OTHER = Owner(tenant="t", user="somebody-else")
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and what follows").decode()
HELLO = (Turn(role="system", content="Be brief."), Turn(role="user", content="Hello"))


async def begin(world: World, *turns: Turn, **more: Any) -> RunKey:
    asked = StartCompletion(**{"owner": OWNER, "run_id": new_id("chat"), "turns": turns or HELLO, "model": "m", **more})
    started: chat.RunStarted = await world.ask(asked)
    return RunKey(OWNER.tenant, OWNER.user, started.run_id)


async def ended(world: World, text: str, *turns: Turn, **more: Any) -> RunKey:
    key = await begin(world, *turns, **more)
    await answer(world, key, text)
    return key


async def told_to_the_model(world: World, key: RunKey) -> list[tuple[str, str]]:
    request = json.loads((await world.row(key))["request"])
    return [(turn["role"], turn["content"]) for turn in request["messages"]]


async def test_a_completion_is_answered_and_shown(world: World) -> None:
    await world.replica()
    key = await begin(world, parameters=Parameters(temperature=0.5), labels={"ticket": "42"})
    going: Completion = await world.ask(GetCompletion(owner=OWNER, run_id=key.run))
    assert (going.asked, going.answer, going.run.status) == (HELLO, None, "running")
    assert (going.parameters, going.labels) == (Parameters(temperature=0.5), {"ticket": "42"})
    await answer(world, key, "Hi")
    over: Completion = await world.ask(GetCompletion(owner=OWNER, run_id=key.run))
    assert over.answer is not None
    assert (over.answer.content, over.run.status, over.run.text) == ("Hi", "completed", "Hi")
    assert over.run.conversation_id is None
    assert await world.run_lane(key) == ["run.created", "run.completed"]
    assert (await world.lane(key, "run"))[0].conversation_id is None
    told = [subject for subject in (await world.facts())[key.run] if subject.startswith("evt.chat.")]
    assert told == ["evt.chat.run.created", "evt.chat.run.completed"]


async def test_nobody_is_told_of_its_conversation(world: World) -> None:
    await world.replica()
    key = await ended(world, "Hi")
    hidden = (await world.row(key))["conversation_id"]
    page: chat.ConversationPage = await world.ask(ListConversations(owner=OWNER, limit=200))
    assert hidden not in [each.id for each in page.items]
    runs: chat.RunPage = await world.ask(ListRuns(owner=OWNER))
    assert [(run.id, run.conversation_id) for run in runs.items] == [(key.run, None)]
    of: dict[str, Any] = {"owner": OWNER, "conversation_id": hidden}
    sent = {"run_id": new_id("chat"), "content": "Hello", "model": "m"}
    for request in (
        GetConversation(**of),
        ListMessages(**of),
        chat.UpdateConversation(**of, title="Mine"),
        chat.DeleteConversation(**of),
        chat.LatestRun(**of),
        chat.StopConversation(**of),
        SendMessage(**of, **sent),
        SendMessage(**of, **sent, create_missing=True),
        chat.Regenerate(**of, run_id=new_id("chat")),
    ):
        assert await refused(world, request) == "unknown_conversation", request


async def test_it_follows_an_earlier_one_without_its_system_prompt(world: World) -> None:
    await world.replica()
    first = await ended(world, "Hi")
    new = (Turn(role="system", content="Be long."), Turn(role="user", content="And now?"))
    second = await ended(world, "More", *new, after=first.run)
    assert await told_to_the_model(world, second) == [
        ("system", "Be long."), ("user", "Hello"), ("assistant", "Hi"), ("user", "And now?"),
    ]  # fmt: skip
    third = await begin(world, Turn(role="user", content="Last"), after=second.run)
    assert [content for _, content in await told_to_the_model(world, third)] == [
        "Hello", "Hi", "And now?", "More", "Last",
    ]  # fmt: skip
    shown: Completion = await world.ask(GetCompletion(owner=OWNER, run_id=second.run))
    assert (shown.asked, shown.after) == (new, first.run)


async def test_the_calls_of_tools_are_part_of_what_was_said(world: World) -> None:
    await world.replica()
    first = await begin(world)
    await answer(world, first, "", finish_reason="tool_calls", tool_calls=(events.ToolCall("c1", "weather", "{}"),))
    shown: Completion = await world.ask(GetCompletion(owner=OWNER, run_id=first.run))
    assert shown.answer is not None
    assert shown.answer.tool_calls == (ToolUse(call_id="c1", name="weather", arguments="{}"),)
    second = await begin(world, Turn(role="tool", results=(ToolResult(call_id="c1", output="rain"),)), after=first.run)
    told = json.loads((await world.row(second))["request"])["messages"]
    assert told[1]["tool_calls"] == [{"call_id": "c1", "name": "weather", "arguments": "{}"}]
    assert told[2]["results"][0]["output"] == "rain"


async def test_images_are_kept_beside_and_sent_along(world: World) -> None:
    await world.replica()
    asked = (Turn(role="user", content="What is it?", images=(Image(media_type="image/png", data=PNG),)),)
    first = await ended(world, "A picture", *asked, model="sees")
    assert PNG not in (await world.row(first))["request"]
    shown: Completion = await world.ask(GetCompletion(owner=OWNER, run_id=first.run))
    assert shown.asked == asked
    second = await begin(world, Turn(role="user", content="Sure?"), model="sees", after=first.run)
    await world.ask(DeleteCompletion(owner=OWNER, run_id=first.run))
    order = await world.ordered(second)
    assert [turn.images[0].data for turn in order.messages if turn.images] == [PNG]


@pytest.mark.parametrize("ends", [False, True])
async def test_only_one_that_has_ended_is_followed_or_deleted(world: World, ends: bool) -> None:
    await world.replica()
    key = await (ended(world, "Hi") if ends else begin(world))
    follow = StartCompletion(owner=OWNER, run_id=new_id("chat"), turns=HELLO, model="m", after=key.run)
    delete = DeleteCompletion(owner=OWNER, run_id=key.run)
    if not ends:
        assert await refused(world, follow) == await refused(world, delete) == "run_in_progress"
        return
    await world.ask(follow)
    await world.ask(delete)
    assert await refused(world, delete) == "unknown_run"
    assert await refused(world, GetRun(owner=OWNER, run_id=key.run)) == "unknown_run"
    assert [row["run_id"] for row in await world.rows("SELECT run_id FROM chat.log_purge")] == [key.run]


async def test_somebody_elses_completion_is_an_unknown_one(world: World) -> None:
    await world.replica()
    key = await ended(world, "Hi")
    in_a_conversation = await world.begin()
    for run_id in (key.run, "chat_unknown"):
        for request in (
            GetCompletion(owner=OTHER, run_id=run_id),
            DeleteCompletion(owner=OTHER, run_id=run_id),
            StartCompletion(owner=OTHER, run_id=new_id("chat"), turns=HELLO, model="m", after=run_id),
        ):
            assert await refused(world, request) == "unknown_run"
    assert await refused(world, GetCompletion(owner=OWNER, run_id=in_a_conversation.run)) == "unknown_run"
    assert await refused(world, DeleteCompletion(owner=OWNER, run_id=in_a_conversation.run)) == "unknown_run"


async def test_the_same_key_is_the_same_completion(world: World) -> None:
    await world.replica()
    asked = [StartCompletion(owner=OWNER, run_id=new_id("chat"), turns=HELLO, model="m", idempotency_key="k1")
             for _ in range(6)]  # fmt: skip
    started = await asyncio.gather(*map(world.ask, asked))
    assert len({each.run_id for each in started}) == 1
    assert sorted(each.replayed for each in started) == [False] + [True] * 5
    other = asked[0].model_copy(update={"run_id": new_id("chat"), "turns": HELLO[1:]})
    assert await refused(world, other) == "idempotency_conflict"


async def test_the_same_request_twice_is_one_completion(world: World) -> None:
    await world.replica()
    asked = StartCompletion(owner=OWNER, run_id=new_id("chat"), turns=HELLO, model="m")
    assert await world.ask(asked) == await world.ask(asked)
    assert len(await world.rows("SELECT FROM chat.run")) == 1


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"turns": (Turn(role="user", content="a\x00b"),)}, "invalid_text"),
        ({"labels": {"a": "\x00"}}, "invalid_text"),
        ({"labels": {str(n): "x" for n in range(MAX_LABELS + 1)}}, "too_many_labels"),
        ({"labels": {"a": "x" * 513}}, "label_too_long"),
        ({"parameters": Parameters(stop=("\x00",))}, "invalid_text"),
        ({"parameters": Parameters(response_format={"a": "x" * 60_001})}, "parameters_too_long"),
        ({"turns": (Turn(role="user", content="x" * 8_000_001),)}, "message_too_long"),
        ({"model": "none"}, "unknown_model"),
        ({"turns": (Turn(role="user", images=(Image(media_type="image/png", data=PNG),)),)}, "images_not_supported"),
        ({"turns": (Turn(role="user", images=(Image(media_type="image/gif", data=PNG),)),)}, "invalid_image"),
        ({"turns": (Turn(role="user", images=(Image(media_type="image/png", data="!"),)),)}, "invalid_image"),
        ({"turns": (Turn(role="user", images=(Image(attachment="att_x"),)),)}, "invalid_image"),
        ({"turns": (Turn(role="user", images=(Image(url="https://x.y/z"),) * 51),)}, "too_many_images"),
    ],
    ids=lambda value: repr(value)[:60],
)
async def test_what_cannot_be_answered_is_refused(world: World, more: dict[str, Any], code: str) -> None:
    await world.replica()
    asked = {"owner": OWNER, "run_id": new_id("chat"), "turns": HELLO, "model": "m", **more}
    assert await refused(world, StartCompletion(**asked)) == code
    assert await world.rows("SELECT FROM chat.run") == []


async def test_a_context_longer_than_a_message_of_the_bus_arrives(world: World) -> None:
    await world.replica()
    long = tuple(Turn(role="user", content=str(number) * 300_000) for number in range(5))
    key = await begin(world, *long)
    order = await world.ordered(key)
    assert order.messages == long


async def test_old_completions_go_with_their_runs(world: World) -> None:
    service = await world.replica()
    old, young, kept = await ended(world, "old"), await ended(world, "young"), await world.begin()
    await until(lambda: marked(world, old, young))
    await world.execute("UPDATE chat.run SET ended_at = now() - interval '31 days' WHERE id = $1", old.run)
    while await service._retention.step() == 0.0:
        pass
    left = {row["id"] for row in await world.rows("SELECT id FROM chat.run")}
    assert left == {young.run, kept.run}
    assert not await world.rows("SELECT FROM chat.message WHERE run_id = $1", old.run)
    assert old.run in [row["run_id"] for row in await world.rows("SELECT run_id FROM chat.log_purge")]


async def marked(world: World, *keys: RunKey) -> bool:
    rows = [await world.row(key) for key in keys]
    return all(row["told_at"] and row["dispatched_at"] for row in rows)
