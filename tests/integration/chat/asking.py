"""What the tests of conversations ask chat for."""

import json
from typing import Any

import pytest

from contracts import chat
from contracts.chat import ChatMessage, ListMessages, RunStarted, SendMessage
from contracts.generation import GenerateRequest
from kit.ids import new_id
from kit.refusal import Refused
from kit.runlog.lane import RunKey
from tests.integration.chat.world import OWNER, World


def message(conversation: str, content: str = "Hello", **more: Any) -> SendMessage:
    """A message into a conversation."""
    asked = {"owner": OWNER, "run_id": new_id("chat"), "conversation_id": conversation, "content": content}
    return SendMessage(**{**asked, "model": "m", **more})


def key_of(started: RunStarted) -> RunKey:
    """The run that was started."""
    return RunKey(OWNER.tenant, OWNER.user, started.run_id)


async def refused(world: World, request: Any) -> str:
    """The code with which a request is refused."""
    with pytest.raises(Refused) as caught:
        await world.ask(request)
    return caught.value.problem.code


async def answer(world: World, key: RunKey, text: str, **more: Any) -> None:
    """Answer a run, and have that stored and told: the fact of it is handed to chat instead of sent."""
    worker = await world.work_on(key)
    fact = await worker.finish(text, **more)
    await worker.die()
    await world.replicas[0]._endings.on_generation_ended(fact)


async def said(
    world: World, conversation: str, content: str, reply: str, *, cost_usd: str | None = None, **more: Any
) -> RunKey:
    """A message and its answer."""
    key = key_of(await world.ask(message(conversation, content, **more)))
    await answer(world, key, reply, cost_usd=cost_usd)
    return key


async def conversation_of(world: World, *pairs: tuple[str, str]) -> str:
    """A conversation with some messages and their answers."""
    conversation = new_id("conv")
    for content, reply in pairs:
        await said(world, conversation, content, reply, create_missing=True)
    return conversation


async def shown(world: World, conversation: str, **more: Any) -> tuple[ChatMessage, ...]:
    """The messages of the branch that is shown."""
    page: chat.MessagePage = await world.ask(ListMessages(owner=OWNER, conversation_id=conversation, limit=200, **more))
    return page.items


async def texts(world: World, conversation: str, **more: Any) -> list[str]:
    """What they say."""
    return [each.content for each in await shown(world, conversation, **more)]


async def told_to_the_model(world: World, key: RunKey) -> list[str]:
    """The texts of the context of a run."""
    order = GenerateRequest.model_validate(json.loads((await world.row(key))["request"]))
    return [turn.content for turn in order.messages]
