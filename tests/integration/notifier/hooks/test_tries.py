"""Trying a webhook."""

import asyncio

from standardwebhooks import Webhook as Receiver

from services.notifier.hooks import store
from services.notifier.hooks.handlers import WebhookHandlers
from tests.fixtures.hook_server import HookServer
from tests.integration.notifier.hooks.calling import running, settings
from tests.integration.notifier.hooks.world import PROBLEM, World


async def test_a_try_is_a_signed_call(world: World, receiver: HookServer, path: str) -> None:
    made = await world.add(receiver.url(path))
    rotated = await world.rotate(made)
    await store.note(world.database, made.id, PROBLEM)
    tried = await world.attempt(made)
    assert (tried.status, tried.problem) == (204, None)
    (arrived,) = receiver.to(path)
    assert made.secret is not None
    assert rotated.secret is not None
    for secret in (made.secret, rotated.secret):
        told = Receiver(secret).verify(arrived.body, dict(arrived.headers))
        assert (told["type"], told["data"]) == ("test", {"webhook_id": made.id})
    assert (await world.listed())[0].problem is None


async def test_a_try_that_fails_says_why(world: World, receiver: HookServer, path: str) -> None:
    made = await world.add(receiver.url(path))
    receiver.answer(500, path=path)
    tried = await world.attempt(made)
    assert (tried.status, tried.problem) == (None, PROBLEM)
    assert (await world.listed())[0].problem == PROBLEM
    receiver.answer(410, path=path)
    gone = await world.attempt(made)
    assert gone.problem is not None
    assert gone.problem.code == "webhook_gone"
    assert not (await world.listed())[0].enabled
    assert (await world.attempt(made)).status == 204  # also one that is disabled
    assert not (await world.listed())[0].enabled


async def test_a_private_address_is_not_tried(world: World, receiver: HookServer, path: str) -> None:
    made = await world.add(receiver.url(path))
    async with running(hooks_allow_private=False) as caller:
        handlers = WebhookHandlers(world.database, caller, settings(hooks_allow_private=False))
        tried = await World(world.database, handlers, world.owner).attempt(made)
    assert tried.problem is not None
    assert tried.problem.code == "webhook_forbidden"
    assert receiver.to(path) == []


async def test_one_try_at_a_time(world: World, receiver: HookServer, path: str) -> None:
    made = await world.add(receiver.url(path))
    receiver.slow(path=path)
    first = asyncio.create_task(world.attempt(made))
    await receiver.until(1, path=path)
    second = await world.attempt(made)
    assert second.problem is not None
    assert second.problem.code == "webhook_busy"
    receiver.forget()
    assert (await first).status == 204
    assert (await world.attempt(made)).status == 204
    assert len(receiver.to(path)) == 2
