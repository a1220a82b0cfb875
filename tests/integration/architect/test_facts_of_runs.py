"""What the notifier learns from the facts about an assistant's runs: how they ended, and that a step waits."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from contracts import events
from contracts.architect import (
    CancelArchitectRun,
    DecideApproval,
    ForkAssistantRun,
    GetArchitectRun,
    ListArchitectRuns,
    StartAssistantRun,
)
from contracts.architect_facts import ApprovalRequestedFact, ArchitectRunEndedFact
from contracts.assistant import Approval
from contracts.chat_values import Run
from kit.bus.publish import publish
from kit.ids import new_id
from kit.runlog.lane import RunKey
from services.architect import telling
from tests.fixtures.bus import facts_of
from tests.fixtures.polling import until
from tests.integration.architect.world import OWNER, World, step


async def begin(world: World, *steps: Any, notify: str | None = None, **more: Any) -> RunKey:
    """A run whose owner wants that."""
    made = await world.assistant(*steps, **more)
    command = {"owner": OWNER, "run_id": new_id("arc"), "assistant_id": made, "notify": notify}
    return RunKey("t", "u", (await world.ask(StartAssistantRun.model_validate(command))).run_id)


async def told(world: World, key: RunKey, subject: str = "evt.architect.run.*") -> list[dict[str, Any]]:
    """Facts about a run, but not that it has begun."""
    found = await facts_of(world.bus.client, subject, key.run)
    return [fact for fact in found if "steps" not in fact]


async def ended(world: World, key: RunKey) -> ArchitectRunEndedFact:
    """The one fact that it has ended."""
    (fact,) = await until(lambda: told(world, key))
    return ArchitectRunEndedFact.model_validate(fact)


async def completes(world: World, key: RunKey) -> None:
    await world.answer(key, "a")


async def fails(world: World, key: RunKey) -> None:
    await world.fail(key, "a")


async def is_stopped(world: World, key: RunKey) -> None:
    await (await world.answering(key, "a")).die()
    await world.ask(CancelArchitectRun(owner=OWNER, run_id=key.run))


async def is_late(world: World, key: RunKey) -> None:
    await (await world.answering(key, "a")).die()


@pytest.mark.parametrize(
    ("way", "outcome", "code", "more"),
    [
        (completes, "completed", None, {}),
        (fails, "failed", "step_failed", {}),
        (is_stopped, "cancelled", None, {}),
        (is_late, "failed", "run_timeout", {"timeout_seconds": 3.0}),
    ],
)
@pytest.mark.parametrize("notify", ["always", None])
async def test_a_run_tells_what_its_owner_wants_and_how_long_it_took_however_it_ends(
    world: World,
    way: Callable[[World, RunKey], Awaitable[None]],
    outcome: str,
    code: str | None,
    more: dict[str, Any],
    notify: str | None,
) -> None:
    await world.replica()
    key = await begin(world, step("a", retries=0), notify=notify, **more)
    await way(world, key)
    fact = await ended(world, key)
    assert (fact.outcome, fact.error_code, fact.notify) == (outcome, code, notify)
    run = await world.get(key)
    assert run.ended_at is not None
    assert abs(fact.total_ms - (run.ended_at - run.created_at).total_seconds() * 1000) <= 1


async def test_a_fork_has_a_wish_of_its_own(world: World) -> None:
    await world.replica()
    key = await begin(world, step("a"), notify="always")
    await completes(world, key)
    await ended(world, key)
    for notify in ("never", None):
        fork = {"owner": OWNER, "parent_run_id": key.run, "step": "a", "run_id": new_id("arc"), "notify": notify}
        new = RunKey("t", "u", (await world.ask(ForkAssistantRun.model_validate(fork))).run_id)
        await completes(world, new)
        assert (await ended(world, new)).notify == notify


async def test_a_run_that_has_ended_says_what_it_cost(world: World) -> None:
    await world.replica()
    key = await begin(world, step("a"))
    of_run = GetArchitectRun(owner=OWNER, run_id=key.run)
    going: Run = await world.ask(of_run)
    assert going.cost_usd is None
    await completes(world, key)
    await ended(world, key)
    over: Run = await world.ask(of_run)
    page = await world.ask(ListArchitectRuns(owner=OWNER))
    assert over.cost_usd == page.items[0].cost_usd == (await world.get(key)).cost_usd == "0.001"


async def test_that_a_step_waits_is_told_once_and_only_when_it_does(world: World) -> None:
    await world.replica()
    steps = (step("a"), step("b", "a", approval=Approval()), step("c", "b", condition="a.output == 'no'"))
    key = await begin(world, *steps, notify="never")
    answering = await world.answering(key, "a")
    assert await told(world, key, "evt.architect.approval.*") == []
    await publish(world.bus, await answering.finish("A"))
    await world.until_status(key, "b", "approval")

    async def asked() -> list[dict[str, Any]]:
        return await told(world, key, "evt.architect.approval.*")

    (fact,) = await until(asked)
    asks = ApprovalRequestedFact.model_validate(fact)
    assert (asks.step, asks.notify) == ("b", "never")
    await world.ask(DecideApproval(owner=OWNER, run_id=key.run, step="b", approved=True))
    await world.answer(key, "b")
    await ended(world, key)
    assert len(await asked()) == 1


async def test_a_replica_that_dies_before_it_has_noted_what_it_told_tells_the_same_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await world.replica()
    made: list[Any] = []

    async def noted(bus: Any, message: Any) -> None:
        made.append(message)
        await publish(bus, message)

    monkeypatch.setattr(telling, "publish", noted)
    key = await begin(world, step("a", approval=Approval()), notify="always")
    await world.until_status(key, "a", "approval")
    await world.ask(DecideApproval(owner=OWNER, run_id=key.run, step="a", approved=False))
    await ended(world, key)

    async def settled() -> bool:
        return bool(await world.pool.fetchval("SELECT told_at FROM architect.run WHERE id = $1", key.run))

    await until(settled)
    first = {each.message_id(): each for each in made}
    assert [each for each in made if each != first[each.message_id()]] == []
    made.clear()
    await world.pool.execute("UPDATE architect.run SET told_n = 0, owed_since = now() WHERE id = $1", key.run)
    await service._onward.again(OWNER, key.run)
    assert {each.message_id(): each for each in made} == first
    kinds = [type(each) for each in made]
    assert (kinds.count(ApprovalRequestedFact), kinds.count(ArchitectRunEndedFact)) == (1, 1)
    assert await ended(world, key) == made[-1]
    assert [type(event) for event in await world.told(key)].count(events.ApprovalRequested) == 1
