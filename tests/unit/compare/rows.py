"""Comparisons as values, for the decisions."""

from datetime import UTC, datetime
from typing import Any

from contracts import events
from contracts.compare import LaneWish, StartComparison
from contracts.content import Turn
from contracts.generation import Parameters, Timeouts
from contracts.message import Owner
from kit.orchestrate.moments import milliseconds
from services.compare import core
from services.compare.models import Compared, LaneRow
from services.compare.plan import Wanted, new_run, wanted_lane

NOW = datetime(2026, 11, 27, 12, 0, 0, 123_000, tzinfo=UTC)
OWNER = Owner(tenant="t", user="u")
TURNS = (Turn(role="system", content="Be brief."), Turn(role="user", content="Hello"))


def command(run_id: str = "cmp_1", **changes: Any) -> StartComparison:
    """A request for two models."""
    models = (LaneWish(model="m1"), LaneWish(model="m2"))
    return StartComparison(**{"owner": OWNER, "run_id": run_id, "turns": TURNS, "models": models, **changes})


def begun(*models: str, run_id: str = "cmp_1") -> Compared:
    """A run that has begun; its lanes are lane_0, lane_1, …"""
    run = new_run(command(run_id), TURNS, Parameters(), "Hello", NOW)
    wanted = [Wanted(model, Parameters()) for model in models or ("m1", "m2")]
    lanes = [wanted_lane(run, f"lane_{place}", place, each, Timeouts()) for place, each in enumerate(wanted)]
    return Compared(run, lanes)


def ending(lane: LaneRow, kind: type = events.GenerationCompleted, **changes: Any) -> Any:
    """What a worker writes at the end of a lane."""
    more: dict[str, Any] = {"finish_reason": "length"} if kind is events.GenerationCompleted else {}
    if kind is events.GenerationFailed:
        more["error"] = events.Error("provider_unavailable", f"{lane.model} does not answer.")
    fields = {
        "lane": lane.lane,
        "at": milliseconds(NOW) + 2000,
        "attempt": 2,
        "model": lane.model,
        "provider": "p",
        "text": f"by {lane.model}",
        "reasoning": "hm",
        "usage": events.Usage(3, 40, 5, 1),
        "timings": events.Timings(10, 200, 1200),
        "cost_usd": "0.25",
    }
    return kind(**{**fields, **more, **changes})


def end(compared: Compared, *kinds: type) -> Compared:
    """The same when its lanes have ended like this, and the run with them."""
    for lane, kind in zip(compared.lanes, kinds, strict=True):
        core.end_lane(lane, ending(lane, kind), f"by {lane.model}", "hm")
    core.end_at_once(compared)
    return compared
