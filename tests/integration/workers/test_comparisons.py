"""Eight models at once, at real workers: one fails in the middle, one's server is not there, one is stopped, and a
worker is killed. Each lane says exactly what it would have said alone.
"""

from typing import Any

from contracts import events
from contracts.compare import CancelLane, Comparison, GetComparison, LaneWish, StartComparison
from contracts.content import Turn
from contracts.generation import Parameters
from contracts.ids import RUN_LANE
from contracts.message import Owner
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.rpc import Unavailable, call
from kit.ids import new_id
from kit.runlog.lane import RunKey
from kit.runlog.reads import LogReads
from services.inference.providers.base import ProviderCall, ProviderError, Text
from services.inference.providers.scripted import ScriptedProvider
from tests.fixtures.bus import connected_bus
from tests.fixtures.counting import CountingModel
from tests.fixtures.polling import until
from tests.fixtures.stack import Stack
from tests.integration.workers.conftest import worker_of

OWNER = Owner(tenant="t", user="u")
PROMPT = "Fail with 400 after 50 tokens. 2500 numbers at 50 tok/s."
"""demo-flaky fails; demo-marathon counts, for five seconds here; nobody else minds."""
TURNS = (Turn(role="user", content=PROMPT),)
SHORT, OTHER = Parameters(max_tokens=12), Parameters(seed=1)
WISHES = (
    LaneWish(model="demo-swift"),
    LaneWish(model="demo-sage"),
    LaneWish(model="demo-thinker", parameters=SHORT),
    LaneWish(model="demo-flaky"),
    LaneWish(model="unreachable"),
    LaneWish(model="mock"),
    LaneWish(model="demo-marathon"),
    LaneWish(model="demo-marathon", parameters=OTHER),
)
SWIFT, SAGE, THINKER, FLAKY, UNREACHABLE, MOCK, MARATHON, STOPPED = range(8)


async def alone(wish: LaneWish) -> str:
    """What a demo model says to this."""
    said = []
    asked = ProviderCall(model=wish.model, turns=TURNS, parameters=wish.parameters or Parameters())
    try:
        async for chunks in ScriptedProvider(speed=0).stream(asked):
            said += [chunk.text for chunk in chunks if isinstance(chunk, Text)]
    except ProviderError:
        assert wish.model == "demo-flaky"
    return "".join(said)


class Comparing:
    """A comparison on this stack."""

    def __init__(self, bus: Bus) -> None:
        self.bus, self.key = bus, RunKey(OWNER.tenant, OWNER.user, new_id("cmp"))

    async def ask(self, request: type[Any], **more: Any) -> Any:
        """A request about it; compare may still be starting."""

        async def answered() -> Any:
            try:
                asked = request(owner=OWNER, run_id=self.key.run, **more)
                return await call(self.bus, asked, timeout=10, blobs=Blobs(self.bus, 1))
            except Unavailable:
                return None

        return await until(answered)

    async def get(self) -> Comparison:
        """It, as it is."""
        found: Comparison = await self.ask(GetComparison)
        return found


async def test_eight_lanes_and_none_touches_another(two_workers: Stack, model: CountingModel) -> None:
    async with connected_bus(two_workers.servers) as bus:
        comparing = Comparing(bus)
        await comparing.ask(StartComparison, turns=TURNS, models=WISHES)

        async def in_the_middle() -> bool:
            lanes = (await comparing.get()).lanes
            going = [lane for lane in lanes if lane.status == "running" and lane.text]
            return len(going) >= 3 and len(model.calls.get(PROMPT, ())) == 1 and model.calls[PROMPT][0].said > 1

        await until(in_the_middle)
        lanes = (await comparing.get()).lanes
        killed = worker_of(two_workers, model, PROMPT)
        stopped = await comparing.ask(CancelLane, lane=lanes[STOPPED].lane)
        assert stopped.lanes[STOPPED].status == "cancelled"
        await killed.kill()

        async def taken_over() -> bool:
            calls = model.calls[PROMPT]
            return len(calls) == 2 and calls[1].said > 3

        await until(taken_over)
        model.stop.set()

        async def over() -> bool:
            return (await comparing.get()).status != "running"

        await until(over)
        await assert_exact(comparing, model)


async def assert_exact(comparing: Comparing, model: CountingModel) -> None:
    """What was said, what is stored, and what is told of it at the end, are the same."""
    ended = await comparing.get()
    lanes = ended.lanes
    assert ended.status == "completed"
    for place in (SWIFT, SAGE, THINKER, FLAKY, MARATHON):
        assert lanes[place].text == await alone(WISHES[place]), lanes[place].model
    assert lanes[MOCK].text == model.calls[PROMPT][1].text
    assert (await alone(WISHES[STOPPED])).startswith(lanes[STOPPED].text or "?")
    assert [(lane.status, lane.error and lane.error.code) for lane in lanes] == [
        ("completed", None),
        ("completed", None),
        ("completed", None),
        ("failed", "provider_rejected"),
        ("failed", "provider_unavailable"),
        ("completed", None),
        ("completed", None),
        ("cancelled", None),
    ]
    assert lanes[THINKER].finish_reason == "length"
    assert len((lanes[FLAKY].text or "").split()) == 50
    assert all(lane.total_ms is not None and lane.usage is not None for lane in lanes)
    assert all(lane.tokens_per_second for lane in lanes if lane.status == "completed")
    reads = LogReads(comparing.bus, 4)
    await reads.start()

    async def told() -> Any:
        return (await reads.lane(comparing.key.lane(RUN_LANE)))[-1][1]

    async def ending() -> Any:
        last = await told()
        return last if isinstance(last, events.RunCompleted) else None

    summary = await until(ending)
    assert [(lane.model, lane.outcome, lane.error_code) for lane in summary.lanes] == [
        (lane.model, lane.status, lane.error and lane.error.code) for lane in lanes
    ]
    for place, end in zip(lanes, summary.ends, strict=True):
        sequence, event = (await reads.lane(comparing.key.lane(place.lane)))[-1]
        assert (place.lane, sequence) == (end.lane, end.sequence)
        assert isinstance(event, events.GenerationEnding)
        assert await Blobs(comparing.bus, 1).text(event.text, event.text_ref) == place.text
