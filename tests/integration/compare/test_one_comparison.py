"""A comparison from its beginning to its end, in the tables, in the log and in the facts."""

from contracts import events
from contracts.compare import ListComparisons
from contracts.content import Turn
from contracts.generation import Parameters
from contracts.ids import RUN_LANE
from kit.bus.publish import publish
from tests.fixtures.polling import until
from tests.integration.compare.world import OWNER, World


async def test_every_model_is_asked_the_same_and_the_run_ends_with_the_last_lane(world: World) -> None:
    await world.replica()
    turns = (Turn(role="system", content="Be brief."), Turn(role="user", content="What is a comparison?"))
    key = await world.begin("m-1", "m-2", "m-3", turns=turns, parameters=Parameters(temperature=0.5))
    orders = await world.orders(key)
    assert [order.model for order in orders] == ["m-1", "m-2", "m-3"]
    assert all(order.messages == turns and order.parameters.temperature == 0.5 for order in orders)
    assert len({order.lane for order in orders}) == 3

    worker = await world.work_on(key, "m-2")
    await worker.say("half an ")
    shown = await world.shown(key)
    assert (shown["m-2"].status, shown["m-2"].text, shown["m-2"].provider) == ("running", "half an ", "of-m-2")
    await world.answer(key, "m-1")
    await publish(world.bus, await worker.finish("half an answer", events.GenerationFailed))

    async def two_have_ended() -> bool:
        return [lane.status for lane in (await world.get(key)).lanes] == ["completed", "failed", "running"]

    await until(two_have_ended)
    assert await world.run_lane(key) == ["run.created"]
    await world.answer(key, "m-3")

    ended = await world.ended(key)
    assert (ended.status, ended.title, ended.turns) == ("completed", "What is a comparison?", turns)
    first, second, third = ended.lanes
    assert (first.text, first.model, first.provider, first.finish_reason) == (
        "the answer of m-1",
        "m-1",
        "of-m-1",
        "stop",
    )
    assert (first.queued_ms, first.first_token_ms, first.total_ms) == (5, 100, 1100)
    assert (first.tokens_per_second, first.cost_usd) == (50.0, "0.001")
    assert second.text == "half an answer"
    assert second.error is not None
    assert second.error.code == "provider_unavailable"
    assert third.status == "completed"


async def test_the_log_says_who_was_asked_how_each_did_and_where_each_ends(world: World) -> None:
    await world.replica()
    key = await world.begin("m-1", "m-2")
    facts = [await world.answer(key, "m-1"), await world.answer(key, "m-2", kind=events.GenerationCancelled)]
    await world.ended(key)
    created, ending = await world.lane(key, RUN_LANE)
    assert isinstance(created, events.RunCreated)
    assert (created.kind, created.blind) == ("compare", False)
    assert [plan.model for plan in created.generations] == ["m-1", "m-2"]
    assert isinstance(ending, events.RunCompleted)
    assert {(end.lane, end.sequence) for end in ending.ends} == {(fact.lane, fact.sequence) for fact in facts}
    assert [(lane.model, lane.outcome, lane.tokens_per_second) for lane in ending.lanes] == [
        ("m-1", "completed", 50.0),
        ("m-2", "cancelled", None),
    ]
    told = (await world.facts())[key.run]
    assert sorted(told) == ["evt.compare.run.completed", "evt.compare.run.created"]


async def test_the_newest_is_first_in_the_list_without_what_was_asked_and_said(world: World) -> None:
    await world.replica()
    keys = [await world.completed(), await world.begin(), await world.begin()]
    page = await world.ask(ListComparisons(owner=OWNER, limit=2))
    assert [item.id for item in page.items] == [key.run for key in reversed(keys[1:])]
    page = await world.ask(ListComparisons(owner=OWNER, limit=2, before=page.next))
    (item,) = page.items
    assert (item.id, page.next, item.turns) == (keys[0].run, None, ())
    assert [(lane.model, lane.text) for lane in item.lanes] == [("m-1", None), ("m-2", None)]
