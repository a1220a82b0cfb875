"""How a comparison begins: what is refused, what comes twice, and what a lane cannot be asked."""

import base64

import pytest

from contracts import events
from contracts.compare import ComparisonStarted, LaneWish, StartComparison
from contracts.content import Image, Turn
from contracts.generation import Parameters
from contracts.ids import BLIND
from kit.bus.blobs import MAX_INLINE_BYTES
from kit.ids import new_id
from tests.integration.compare.world import HELLO, MODELS, OWNER, World, wishes

EIGHT = tuple(f"m-{number}" for number in range(1, 9))
WARM = Parameters(temperature=1)


def start(*models: str, run_id: str | None = None, **more: object) -> StartComparison:
    asked = {"turns": HELLO, "models": wishes(*models or ("m-1", "m-2")), **more}
    return StartComparison(owner=OWNER, run_id=run_id or new_id("cmp"), **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (start("m-1"), "too_few_models"),
        (start(*EIGHT, "small"), "too_many_models"),
        (start("m-1", "nobody"), "unknown_model"),
        (start("m-1", "m-2", "m-1"), "duplicate_model"),
        (start(models=(LaneWish(model="m-1", parameters=WARM), *wishes("m-1")), parameters=WARM), "duplicate_model"),
        (start(run_id="chat_1"), "invalid_request"),
        (start(turns=(Turn(role="user", content=" "),)), "empty_message"),
        (start(title="x" * 300), "title_too_long"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
async def test_what_makes_no_sense_is_refused_and_nothing_is_stored(
    world: World, request_: StartComparison, code: str
) -> None:
    await world.replica()
    assert await world.refused(request_) == code
    assert await world.rows("SELECT id FROM compare.run") == []


async def test_the_same_request_again_is_the_same_run(world: World) -> None:
    await world.replica()
    command = start(idempotency_key="once")
    first: ComparisonStarted = await world.ask(command)
    assert await world.ask(command) == first == ComparisonStarted(run_id=command.run_id)
    again = await world.ask(command.model_copy(update={"run_id": new_id("cmp")}))
    assert again == ComparisonStarted(run_id=command.run_id, replayed=True)
    other = command.model_copy(update={"run_id": new_id("cmp"), "models": wishes("m-1", "m-3")})
    assert await world.refused(other) == "idempotency_conflict"
    blind = command.model_copy(update={"run_id": new_id("cmp") + BLIND})
    assert await world.refused(blind) == "idempotency_conflict"  # or it would be answered with names
    assert len(await world.rows("SELECT id FROM compare.run")) == 1
    stranger = OWNER.model_copy(update={"user": "somebody-else"})
    assert await world.refused(command.model_copy(update={"owner": stranger, "idempotency_key": None})) == (
        "invalid_request"
    )


async def test_a_request_that_comes_again_is_answered_although_a_model_is_gone(world: World) -> None:
    service = await world.replica()
    command = start("m-1", "m-2")
    first = await world.ask(command)
    service._offers._cards = {"m-1": {"id": "m-1"}}
    assert await world.ask(command) == first


async def test_models_that_cannot_be_asked_this_fail_and_the_others_run(world: World) -> None:
    await world.replica()
    picture = Image(media_type="image/png", data=base64.b64encode(b"x" * 3000).decode())
    turns = (Turn(role="user", content="Look. " * 200, images=(picture,)),)
    key = await world.begin("m-1", "small", "blindfolded", turns=turns)
    (order,) = await world.orders(key)
    assert (order.model, order.messages) == ("m-1", turns)
    await world.answer(key, "m-1")
    ended = await world.ended(key)
    assert [(lane.model, lane.status, lane.error and lane.error.code) for lane in ended.lanes] == [
        ("m-1", "completed", None),
        ("small", "failed", "context_too_long"),
        ("blindfolded", "failed", "images_not_supported"),
    ]
    for lane in ended.lanes[1:]:
        (ending,) = await world.lane(key, lane.lane)
        assert isinstance(ending, events.GenerationFailed)
        assert lane.error is not None
        assert ending.error == events.Error(lane.error.code, lane.error.message)
    assert len((await world.lane(key))[-1].ends) == 3


async def test_a_comparison_that_nobody_can_be_asked_ends_at_once(world: World) -> None:
    await world.replica()
    turns = (Turn(role="user", content="word " * 400),)
    small = [LaneWish(model="small"), LaneWish(model="small", parameters=WARM)]
    key = await world.begin(turns=turns, models=tuple(small))
    ended = await world.ended(key)
    assert ended.error is not None
    assert (ended.status, ended.error.code) == ("failed", "all_lanes_failed")
    assert await world.run_lane(key) == ["run.created", "run.failed"]
    assert await world.orders(key) == []


async def test_a_long_question_is_kept_once_for_all(world: World) -> None:
    await world.replica()
    turns = (Turn(role="user", content="x" * 90_000), Turn(role="user", content="y" * 90_000))
    key = await world.begin("m-1", "m-2", turns=turns)
    orders = await world.orders(key)
    assert [order.messages for order in orders] == [turns, turns]
    assert len({order.messages_ref for order in orders}) == 1
    assert len(turns[0].content) < MAX_INLINE_BYTES
    assert (await world.get(key)).turns == turns


async def test_nobody_can_tell_a_blind_comparisons_models_by_their_order_or_names(world: World) -> None:
    await world.replica()
    orders, names = set(), set()
    for _ in range(6):
        key = await world.begin(*EIGHT, blind=True)
        lanes = await world.lanes(key)
        orders.add(tuple(lane["model"] for lane in lanes))
        names |= {lane["lane"] for lane in lanes}
        created = (await world.lane(key))[0]
        assert created.blind
        assert [plan.model for plan in created.generations] == [lane["model"] for lane in lanes], "the bus knows"
        found = await world.get(key)
        assert (found.blind, found.revealed) == (True, False)
        shown = found.model_dump_json(exclude_none=True)
        assert [model["id"] for model in MODELS if model["id"] in shown] == []
    assert len(orders) > 1
    assert len(names) == 48
    assert key.run.endswith(BLIND)
