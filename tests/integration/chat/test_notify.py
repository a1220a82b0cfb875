"""What the notifier learns from the fact that a run has ended: what its owner wants, and how long it took."""

from typing import Any

import pytest

from contracts import events
from contracts.chat import CancelRun, GetRun, LatestRun, ListRuns, Regenerate, ReplayRun, Run, RunPage
from contracts.chat_facts import RunEndedFact
from contracts.completions import StartCompletion
from contracts.content import Turn
from kit.ids import new_id
from kit.runlog.lane import RunKey
from services.chat import core, run_store
from tests.fixtures.bus import facts_of
from tests.fixtures.polling import until
from tests.integration.chat.asking import answer, conversation_of, key_of, message, refused, said
from tests.integration.chat.world import OWNER, World

POLICIES = ("always", "when_away", "never", None)


async def told(world: World, key: RunKey) -> RunEndedFact:
    """The one fact that a run has ended."""

    async def facts() -> list[dict[str, Any]]:
        found = await facts_of(world.bus.client, "evt.chat.run.*", key.run)
        return [fact for fact in found if "outcome" in fact]

    (fact,) = await until(facts)
    return RunEndedFact.model_validate(fact)


async def took(world: World, key: RunKey) -> int:
    row = await world.row(key)
    return round((row["ended_at"].timestamp() - row["created_at"].timestamp()) * 1000)


@pytest.mark.parametrize("notify", POLICIES)
async def test_a_run_tells_what_its_owner_wants_and_how_long_it_took(world: World, notify: Any) -> None:
    await world.replica()
    key = await world.begin(notify=notify)
    await answer(world, key, "Hi")
    fact = await told(world, key)
    assert (fact.notify, fact.outcome) == (notify, "completed")
    assert fact.total_ms is not None
    assert abs(fact.total_ms - await took(world, key)) <= 1


async def test_so_does_one_that_failed_or_was_stopped(world: World) -> None:
    await world.replica()
    failed = await world.begin(notify="always")
    await answer(world, failed, "half", kind=events.GenerationFailed, error=events.Error("internal", "No."))
    stopped = await world.begin(notify="never")
    await world.cancel(stopped)
    for key, outcome, notify in ((failed, "failed", "always"), (stopped, "cancelled", "never")):
        fact = await told(world, key)
        assert (fact.outcome, fact.notify, fact.total_ms is not None) == (outcome, notify, True)


async def test_the_fact_is_the_same_however_often_it_is_made(world: World) -> None:
    service = await world.replica()
    key = await world.begin(notify="always")
    await answer(world, key, "Hi")
    fact = await told(world, key)
    for _ in range(2):
        state = await run_store.state(service._database, OWNER, key.run)
        assert state is not None
        again = core.ended_fact(state)
        assert again == fact
        assert again.message_id() == fact.message_id()
        await service._endings.tell(state)
    assert await told(world, key) == fact


async def test_another_answer_has_a_wish_of_its_own(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    await said(world, conversation, "Hello", "Hi", create_missing=True, notify="never")
    for notify in ("always", None):
        asked = {"owner": OWNER, "conversation_id": conversation, "run_id": new_id("chat"), "model": "m"}
        key = key_of(await world.ask(Regenerate.model_validate({**asked, "notify": notify})))
        await answer(world, key, "Hello again")
        assert (await told(world, key)).notify == notify


async def test_a_message_that_waits_keeps_its_wish(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    first = key_of(await world.ask(message(conversation, "Busy", create_missing=True)))
    asked = [message(conversation, content, on_busy="queue", notify="always") for content in ("One", "Two")]
    begins, waits = [key_of(await world.ask(each)) for each in asked]
    await world.ask(CancelRun(owner=OWNER, run_id=waits.run))
    await answer(world, first, "0")

    async def runs() -> bool:
        return bool((await world.row(begins))["status"] == "running")

    await until(runs)
    await answer(world, begins, "1")
    assert ((await told(world, begins)).notify, (await told(world, begins)).outcome) == ("always", "completed")
    assert ((await told(world, waits)).notify, (await told(world, waits)).outcome) == ("always", "cancelled")
    assert (await told(world, first)).notify is None


async def test_nobody_is_told_of_a_completion(world: World) -> None:
    await world.replica()
    asked = StartCompletion(owner=OWNER, run_id=new_id("chat"), turns=(Turn(role="user", content="Hi"),), model="m")
    key = key_of(await world.ask(asked))
    await answer(world, key, "Hello")
    assert (await told(world, key)).notify == "never"


async def test_a_key_is_for_one_wish(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, ("Hello", "Hi"))
    asked = message(conversation, "Again", idempotency_key="k", notify="always")
    first = await world.ask(asked)
    again = await world.ask(asked.model_copy(update={"run_id": new_id("chat")}))
    assert (again.run_id, again.replayed) == (first.run_id, True)
    for other in ("never", None):
        changed = asked.model_copy(update={"run_id": new_id("chat"), "notify": other})
        assert await refused(world, changed) == "idempotency_conflict"


async def test_a_run_that_has_ended_says_what_it_cost(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    dear = await said(world, conversation, "Hello", "Hi", create_missing=True, cost_usd="0.25")
    unknown = await said(world, conversation, "And now?", "Well")
    going = key_of(await world.ask(message(conversation, "Go on")))
    page: RunPage = await world.ask(ListRuns(owner=OWNER))
    costs = {run.id: run.cost_usd for run in page.items}
    for key, cost in ((dear, "0.25"), (unknown, None), (going, None)):
        run: Run = await world.ask(GetRun(owner=OWNER, run_id=key.run))
        stored = await world.ask(ReplayRun(owner=OWNER, run_id=key.run))
        assert (run.cost_usd, stored.run.cost_usd, costs[key.run]) == (cost, cost, cost)
    await answer(world, going, "On", cost_usd="0.5")
    latest: Run = await world.ask(LatestRun(owner=OWNER, conversation_id=conversation))
    assert (latest.id, latest.cost_usd) == (going.run, "0.5")
