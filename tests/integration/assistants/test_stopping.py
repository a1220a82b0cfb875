"""Runs and steps that are stopped, and steps that take too long."""

from typing import Any

from contracts.assistant import Approval, Definition, Step
from kit.ids import new_id
from tests.assistants import graphs
from tests.assistants.hashing import PREFILL, answer
from tests.assistants.model import HashModel
from tests.fixtures.polling import until
from tests.fixtures.problems import assert_problem
from tests.fixtures.stack import Stack
from tests.integration.assistants.over_http import begin, decide, ended, statuses, steps_of, told

SLOW = "words=3000"
RATE = 50.0


def step(name: str, *needs: str, said: str = "words=5", **more: Any) -> Step:
    prompt = graphs.order(name, said, rate=RATE) + " ".join(f"${{{need}.output}}" for need in needs) + "."
    return Step(**{"name": name, "prompt": prompt, "model": PREFILL, "retries": 0, "depends_on": needs, **more})


def definition(*steps: Step) -> Definition:
    return Definition(fields=graphs.FIELDS, steps=steps)


async def speaking(http: Any, run_id: str, *names: str) -> dict[str, Any]:
    """The run when these steps have begun to speak."""

    async def look() -> dict[str, Any] | None:
        run = await steps_of(http, run_id)
        spoken = {each["step"] for each in run["steps"] if each["status"] == "running" and each["output"]}
        return run if spoken >= set(names) else None

    found = await until(look)
    assert found is not None
    return found


async def test_a_run_is_stopped_with_everything_that_goes_on(stack: Stack, model: HashModel) -> None:
    inputs = graphs.inputs(new_id("m"))
    made = definition(step("a", said=SLOW), step("b", said=SLOW), step("c", "a", "b"), step("d", approval=Approval()))
    async with stack.client() as http:
        run_id = await begin(http, made, inputs)
        before = await speaking(http, run_id, "a", "b")
        assert (await http.post(f"/v1/runs/{run_id}/cancel")).status_code == 200
        run = await ended(http, run_id)
        assert run["status"] == "cancelled"
        assert statuses(run) == {"a": "cancelled", "b": "cancelled", "c": "skipped", "d": "skipped"}
        assert [each["reason"] for each in run["steps"]] == [None, None, "run_stopped", "run_stopped"]
        for each, old in zip(run["steps"][:2], before["steps"], strict=False):
            messages = tuple((turn["role"], turn["content"]) for turn in each["turns"])
            assert each["output"].startswith(old["output"])
            assert answer(messages, PREFILL, 3000).startswith(each["output"])
        assert (await told(http, run_id))[-1].type == "run.cancelled"

        async def model_has_heard() -> bool:
            return all(call.closed_at for call in model.calls[inputs["mark"]])

        await until(model_has_heard)


async def test_a_step_is_stopped_and_what_depends_on_it_follows_its_policy(stack: Stack) -> None:
    made = definition(
        step("a", said=SLOW, on_error="continue"),
        step("b", said=SLOW, on_error="skip"),
        step("c", "a"),
        step("d", "b"),
        step("e", approval=Approval(), on_error="skip"),
    )
    async with stack.client() as http:
        run_id = await begin(http, made, graphs.inputs(new_id("m")))
        await speaking(http, run_id, "a", "b")
        for name in ("a", "b", "e"):
            for _ in range(2):  # stopping one that has ended changes nothing
                assert (await http.post(f"/v1/runs/{run_id}/steps/{name}/cancel")).status_code == 200
        run = await ended(http, run_id)
        assert run["status"] == "completed"
        assert statuses(run) == {"a": "cancelled", "b": "cancelled", "c": "completed", "d": "skipped", "e": "cancelled"}
        a, _, c, d, _ = run["steps"]
        assert d["reason"] == "dependency_failed"
        assert a["output"]
        assert c["turns"][-1]["content"].endswith(f"\n{a['output']}.")
        await told(http, run_id)
        unknown = await http.post(f"/v1/runs/{run_id}/steps/z/cancel")
        assert_problem(unknown, 404, "unknown_step")


async def test_stopping_a_step_that_stops_the_run(stack: Stack) -> None:
    async with stack.client() as http:
        run_id = await begin(http, definition(step("a", said=SLOW), step("b", "a")), graphs.inputs(new_id("m")))
        await speaking(http, run_id, "a")
        assert (await http.post(f"/v1/runs/{run_id}/steps/a/cancel")).status_code == 200
        run = await ended(http, run_id)
        assert (run["status"], run["error"]["code"]) == ("failed", "step_cancelled")
        assert statuses(run) == {"a": "cancelled", "b": "skipped"}
        await told(http, run_id)


async def test_time_limits_of_steps_fire(stack: Stack, model: HashModel) -> None:
    """One that speaks for too long, one that says nothing, one that nobody approves; and each attempt has its own."""
    inputs = graphs.inputs(new_id("m"))
    made = definition(
        step("long", said=SLOW, timeout_seconds=1.5, on_error="continue"),
        step("mute", said="words=5 hang=0", timeout_seconds=1, on_error="continue"),
        step("again", said="words=5 hang=2 times=1", timeout_seconds=1, retries=1),
        step("unseen", approval=Approval(timeout_seconds=1), on_error="continue"),
        step("last", "long", "mute", "again", "unseen"),
    )
    async with stack.client() as http:
        run = await ended(http, await begin(http, made, inputs))
        assert run["status"] == "completed"
        codes = {each["step"]: (each["error"] or {}).get("code") for each in run["steps"]}
        assert codes == {
            "long": "step_timeout",
            "mute": "step_timeout",
            "unseen": "approval_timed_out",
            "again": None,
            "last": None,
        }
        long, mute, again, _, last = run["steps"]
        assert (long["attempts"], mute["attempts"], again["attempts"]) == (1, 1, 2)
        assert 10 < len(long["output"].split()) < 1000
        assert not mute["output"]
        assert last["turns"][-1]["content"].endswith(f"\n{long['output']}  {again['output']} .")
        await told(http, run["id"])


async def test_a_decision_is_made_once(stack: Stack) -> None:
    made = definition(step("a", approval=Approval(instructions="Look.")), step("b", "a"))
    async with stack.client() as http, stack.client() as stranger:
        run_id = await begin(http, made, graphs.inputs(new_id("m")))
        url = f"/v1/runs/{run_id}/steps/a/approval"
        await until(lambda: _waits(http, run_id))
        assert (await stranger.post(url, json={"decision": "approve"})).status_code == 404
        early = await http.post(f"/v1/runs/{run_id}/steps/b/approval", json={"decision": "approve"})
        assert_problem(early, 409, "not_waiting_for_approval")
        await decide(http, run_id, "a", approve=True)
        assert_problem(await http.post(url, json={"decision": "reject"}), 409, "already_decided")
        run = await ended(http, run_id)
        assert statuses(run) == {"a": "completed", "b": "completed"}
        assert (run["steps"][0]["decision"]["approved"], run["steps"][0]["decision"]["comment"]) == (True, "seen")


async def _waits(http: Any, run_id: str) -> bool:
    return (await steps_of(http, run_id))["waiting_for_approval"] == ["a"]
