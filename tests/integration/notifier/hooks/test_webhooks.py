"""The webhooks of users, in real tables."""

import asyncio
from datetime import timedelta

import pytest

from contracts.message import Owner
from contracts.notifier import AddWebhook, UpdateWebhook
from kit.clock import utc_now
from kit.db.database import Database
from kit.ids import new_id
from kit.refusal import Refused
from services.notifier.hooks import store
from services.notifier.hooks.handlers import WebhookHandlers
from tests.integration.notifier.hooks.calling import running, settings
from tests.integration.notifier.hooks.world import PROBLEM, URL, World


def code(caught: pytest.ExceptionInfo[Refused]) -> str:
    return caught.value.problem.code


async def test_the_secret_is_told_once(world: World) -> None:
    made = await world.add(description="Mine")
    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    again = await world.add("http://127.0.0.1:9/other", webhook_id=made.id)
    assert again == made.model_copy(update={"secret": None})
    assert await world.listed() == [again]
    assert (await world.update(made, description="Still mine")).secret is None


async def test_newest_first(world: World) -> None:
    made = [(await world.add()).id for _ in range(3)]
    assert [hook.id for hook in await world.listed()] == made[::-1]


async def test_there_are_not_too_many_also_when_all_are_added_at_once(world: World, database: Database) -> None:
    async with running() as caller:
        replicas = [world.handlers, WebhookHandlers(database, caller, settings(max_webhooks=3))]
        commands = [AddWebhook(owner=world.owner, webhook_id=new_id("hook"), url=URL) for _ in range(8)]
        adding = [replicas[n % 2].on_add_webhook(command) for n, command in enumerate(commands)]
        results = await asyncio.gather(*adding, return_exceptions=True)
    refused = [result for result in results if isinstance(result, BaseException)]
    assert {result.problem.code for result in refused if isinstance(result, Refused)} == {"too_many_webhooks"}
    assert (len(refused), len(await world.listed())) == (5, 3)
    known = (await world.listed())[0]
    assert (await world.add(webhook_id=known.id)).id == known.id  # one that is there is not one more
    await world.delete(known)
    await world.add()


async def test_the_same_added_twice_at_once_is_one_with_one_secret(world: World) -> None:
    of = new_id("hook")
    results = await asyncio.gather(*(world.add(webhook_id=of) for _ in range(4)))
    assert sorted(result.secret is not None for result in results) == [False, False, False, True]
    assert len(await world.listed()) == 1


async def test_somebody_else_s_is_like_one_that_does_not_exist(world: World) -> None:
    made = await world.add()
    for stranger in (Owner(tenant="t", user=new_id("user")), Owner(tenant="x", user=world.owner.user)):
        other = World(world.database, world.handlers, stranger)
        for webhook_id in (made.id, "hook_nobody"):
            hook = made.model_copy(update={"id": webhook_id})
            for doing in (
                other.update(hook, enabled=False),
                other.rotate(hook),
                other.delete(hook),
                other.attempt(hook),
            ):
                with pytest.raises(Refused) as caught:
                    await doing
                assert code(caught) == "unknown_webhook"
            assert await store.found(world.database, stranger, webhook_id) is None
        with pytest.raises(Refused) as caught:
            await other.add(webhook_id=made.id)
        assert code(caught) == "invalid_request"
        assert await other.listed() == []
        assert list(await store.enabled(world.database, stranger)) == []
    assert await world.listed() == [made.model_copy(update={"secret": None})]


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "http://example.com/", "https://me:pw@example.com/", "nonsense"])
async def test_a_url_that_may_not_be_called_is_refused(world: World, database: Database, url: str) -> None:
    made = await world.add()
    async with running(hooks_allow_private=False) as caller:
        strict = World(database, WebhookHandlers(database, caller, settings(hooks_allow_private=False)), world.owner)
        for doing in (strict.add(url), strict.update(made, url=url)):
            with pytest.raises(Refused) as caught:
                await doing
            assert code(caught) == "invalid_webhook"
        public = await strict.update(made, url="https://BÜCHER.example/")
    assert public.url == "https://xn--bcher-kva.example/"


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
async def test_a_description_that_cannot_be_stored_is_refused(world: World, text: str) -> None:
    made = await world.add()
    command = AddWebhook.model_construct(owner=world.owner, webhook_id=new_id("hook"), url=URL, description=text)
    change = UpdateWebhook.model_construct(owner=world.owner, webhook_id=made.id, description=text)
    for doing in (world.handlers.on_add_webhook(command), world.handlers.on_update_webhook(change)):
        with pytest.raises(Refused) as caught:
            await doing
        assert code(caught) == "invalid_text"


async def test_what_is_given_is_changed_and_nothing_else(world: World) -> None:
    made = (await world.add(description="a")).model_copy(update={"secret": None})
    assert await world.update(made) == made
    off = await world.update(made, enabled=False)
    assert off == made.model_copy(update={"enabled": False})
    assert await world.update(made, description="") == off.model_copy(update={"description": ""})


async def test_those_that_are_called(world: World) -> None:
    first, second, third = [await world.add() for _ in range(3)]
    await world.update(second, enabled=False)
    await world.delete(third)
    assert [row.id for row in await store.enabled(world.database, world.owner)] == [first.id]
    row = await store.found(world.database, world.owner, second.id)
    assert row is not None
    assert not row.enabled


async def test_what_became_of_the_last_call(world: World) -> None:
    made, other = await world.add(), await world.add()
    await store.note(world.database, made.id, PROBLEM)
    assert [hook.problem for hook in await world.listed()] == [None, PROBLEM]
    await store.note(world.database, made.id, None)
    assert [hook.problem for hook in await world.listed()] == [None, None]
    await store.disable(world.database, other.id, PROBLEM)
    assert [(hook.enabled, hook.problem) for hook in await world.listed()] == [(False, PROBLEM), (True, None)]
    again = await world.update(other, enabled=True)
    assert (again.enabled, again.problem) == (True, None)
    await store.note(world.database, "hook_deleted", PROBLEM)


async def test_another_url_begins_without_a_problem(world: World) -> None:
    made = await world.add()
    await store.note(world.database, made.id, PROBLEM)
    assert (await world.update(made, url=URL, enabled=True)).problem == PROBLEM
    assert (await world.update(made, url="http://127.0.0.1:9/other")).problem is None


async def test_after_a_rotation_the_earlier_secret_signs_for_a_time(world: World) -> None:
    made = await world.add()
    second = await world.rotate(made)
    row = await store.found(world.database, world.owner, made.id)
    assert row is not None
    assert row.earlier_until is not None
    assert (row.secret, row.earlier_secret) == (second.secret, made.secret)
    assert second.secret != made.secret
    assert timedelta(hours=23) < row.earlier_until - utc_now() <= timedelta(days=1)
    third = await world.rotate(made)
    row = await store.found(world.database, world.owner, made.id)
    assert row is not None
    assert (row.secret, row.earlier_secret) == (third.secret, second.secret)
