"""What the notifier learns from the fact that a comparison has ended: what its owner wants, and how long it took."""

from typing import Any

import pytest

from contracts import events
from contracts.compare import CancelCompareRun, LaneWish
from contracts.compare_facts import CompareRunEndedFact
from contracts.content import Turn
from contracts.generation import Parameters
from kit.ids import new_id
from kit.runlog.lane import RunKey
from services.compare import store
from tests.fixtures.bus import facts_of
from tests.fixtures.polling import until
from tests.integration.compare.test_extending import extended, extension
from tests.integration.compare.test_starting import start
from tests.integration.compare.world import OWNER, World, wishes

SMALL = tuple(LaneWish(model="small", parameters=Parameters(temperature=heat)) for heat in (0, 1))


async def told(world: World, key: RunKey) -> CompareRunEndedFact:
    """The one fact that a run has ended."""

    async def facts() -> list[dict[str, Any]]:
        found = await facts_of(world.bus.client, "evt.compare.run.*", key.run)
        return [fact for fact in found if "outcome" in fact]

    (fact,) = await until(facts)
    return CompareRunEndedFact.model_validate(fact)


async def took(world: World, key: RunKey) -> int:
    row = await world.row(key)
    return round((row["ended_at"].timestamp() - row["created_at"].timestamp()) * 1000)


@pytest.mark.parametrize("notify", ["always", "when_away", "never", None])
async def test_a_run_tells_what_its_owner_wants_and_how_long_it_took(world: World, notify: Any) -> None:
    await world.replica()
    key = await world.completed(notify=notify)
    fact = await told(world, key)
    assert (fact.notify, fact.outcome, fact.completed) == (notify, "completed", 2)
    assert fact.total_ms is not None
    assert abs(fact.total_ms - await took(world, key)) <= 1


async def test_so_does_one_that_failed_or_was_stopped(world: World) -> None:
    await world.replica()
    failed = await world.begin(notify="always")
    for model in ("m-1", "m-2"):
        await world.answer(failed, model, kind=events.GenerationFailed)
    stopped = await world.begin(notify="never")
    await world.ask(CancelCompareRun(owner=OWNER, run_id=stopped.run))
    for key, outcome, notify in ((failed, "failed", "always"), (stopped, "cancelled", "never")):
        fact = await told(world, key)
        assert (fact.outcome, fact.notify, fact.total_ms is not None) == (outcome, notify, True)


async def test_the_fact_is_the_same_however_often_it_is_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    service = await world.replica()
    key = await world.completed(notify="always")
    fact = await told(world, key)
    made = []

    async def publish(_: Any, message: Any) -> None:
        made.append(message)

    monkeypatch.setattr("services.compare.endings.publish", publish)
    for _ in range(2):
        compared = await service._database.run(lambda session: store.compared(session, OWNER, key.run))
        await service._endings.tell(compared)
    assert made == [fact, fact]
    assert {each.message_id() for each in made} == {fact.message_id()}


async def test_an_extension_has_a_wish_of_its_own(world: World) -> None:
    await world.replica()
    parent = await world.completed(notify="always")
    for notify in ("never", None):
        child = await extended(world, parent, add=wishes("m-3"), notify=notify)
        await world.answer(child, "m-3")
        assert (await told(world, child)).notify == notify


async def test_one_whose_models_cannot_be_asked_took_no_time(world: World) -> None:
    await world.replica()
    long = (Turn(role="user", content="word " * 2_000),)
    key = await world.begin(turns=long, models=SMALL, notify="always")
    fact = await told(world, key)
    assert (fact.outcome, fact.failed, fact.total_ms, fact.notify) == ("failed", 2, 0, "always")


async def test_a_key_is_for_one_wish(world: World) -> None:
    await world.replica()
    parent = await world.completed()
    for asked in (start(idempotency_key="a"), extension(parent, add=wishes("m-3"), idempotency_key="b")):
        command = asked.model_copy(update={"notify": "always"})
        first = await world.ask(command)
        again = await world.ask(command.model_copy(update={"run_id": new_id("cmp")}))
        assert (again.run_id, again.replayed) == (first.run_id, True)
        for other in ("never", None):
            changed = command.model_copy(update={"run_id": new_id("cmp"), "notify": other})
            assert await world.refused(changed) == "idempotency_conflict"
