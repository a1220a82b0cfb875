"""Twelve steps with everything in them, live to several watchers, and equal to the reference."""

from typing import Any

import httpx
import pytest

from kit.ids import new_id
from tests.assistants import graphs
from tests.assistants.graphs import Policy
from tests.assistants.model import HashModel
from tests.assistants.reference import evaluate
from tests.fixtures.stack import Stack
from tests.integration.assistants.over_http import assert_all_saw_the_same, assert_as, decide, ended, make, watched


@pytest.mark.parametrize(("policy", "approve"), [("continue", True), ("skip", True), ("continue", False)])
async def test_a_failing_step_does_not_stop_the_others(
    stack: Stack, other_edge: str, model: HashModel, policy: Policy, approve: bool
) -> None:
    definition, inputs = graphs.twelve(policy, rate=100), graphs.inputs(new_id("m"))
    wanted = evaluate(definition, inputs, {"gate": approve})
    assert wanted.sure == set(wanted.steps) or not approve
    async with stack.client() as http, elsewhere(http, other_edge) as other:
        assistant = await make(http, definition)
        async with watched(http, other, assistant, inputs) as (run_id, seen):
            await decide(http, run_id, "gate", approve=approve)
        run = await ended(http, run_id)
        assert_as(run, wanted, definition)
        assert_all_saw_the_same(seen)
        assert_shown_as_stored(seen[0], run)
        if approve:
            assert model.asked(inputs["mark"]) == wanted.calls
        for call in model.calls[inputs["mark"]]:
            assert call.messages == wanted.steps[call.step].turns


async def test_a_failing_step_stops_the_run(stack: Stack, other_edge: str, model: HashModel) -> None:
    definition, inputs = graphs.twelve("stop", rate=100), graphs.inputs(new_id("m"))
    wanted = evaluate(definition, inputs)
    async with stack.client() as http, elsewhere(http, other_edge) as other:
        async with watched(http, other, await make(http, definition), inputs) as (run_id, seen):
            pass
        run = await ended(http, run_id)
        assert_as(run, wanted, definition)
        assert_all_saw_the_same(seen)
        assert_shown_as_stored(seen[0], run)
        asked = model.asked(inputs["mark"])
        assert (asked["after_failing"], asked["summary"], asked["failing"]) == (0, 0, 1)


def elsewhere(http: httpx.AsyncClient, url: str) -> httpx.AsyncClient:
    """The same user at another edge."""
    return httpx.AsyncClient(base_url=url, headers=http.headers, timeout=30, trust_env=False)


def assert_shown_as_stored(seen: list[Any], run: dict[str, Any]) -> None:
    """What a watcher shows in the lane of each step is its output."""
    endings = {
        event.data["lane"]: event.data
        for event in seen
        if event.type.startswith("generation.")
        and (event.type.rpartition(".")[2] in ("completed", "failed", "cancelled"))
    }
    for step in run["steps"]:
        if step["generation"]:
            assert (endings[step["generation"]].get("text") or "") == (step["output"] or ""), step["step"]
