"""A run that goes on from another one: only what has to be is asked again."""

from typing import Any

import httpx

from contracts.assistant import Definition
from kit.ids import new_id
from tests.assistants import graphs
from tests.assistants.hashing import RESTART, answer
from tests.assistants.model import HashModel
from tests.assistants.reference import after, dependencies, evaluate
from tests.fixtures.stack import Stack
from tests.integration.assistants.over_http import assert_as, begin, begun, decide, ended, statuses, told

FROM = "critique"
WORDS = 12
"""That are said where nothing is ordered."""


async def first_run(http: httpx.AsyncClient, definition: Definition, inputs: dict[str, Any]) -> dict[str, Any]:
    run_id = await begin(http, definition, inputs)
    await decide(http, run_id, "gate", approve=True)
    return await ended(http, run_id)


async def test_a_fork_asks_for_the_step_and_what_depends_on_it(stack: Stack, model: HashModel) -> None:
    definition, inputs = graphs.twelve("continue"), graphs.inputs(new_id("m"))
    anew = {FROM, *after(dependencies(definition.steps), FROM)}
    async with stack.client() as http:
        parent = await first_run(http, definition, inputs)
        before = model.asked(inputs["mark"])
        run_id = await begun(http, f"/v1/runs/{parent['id']}/fork", **{"from": FROM})
        await decide(http, run_id, "gate", approve=True)
        run = await ended(http, run_id)
        asked = model.asked(inputs["mark"]) - before
        assert set(asked) == {"critique", "gate", "formal", "both", "summary"} == anew - {"casual"}
        wanted = evaluate(definition, inputs)
        wanted.steps["draft"].attempts = run["steps"][3]["attempts"]
        assert_as(run, wanted, definition)
        assert run["parent_run_id"] == parent["id"]
        events = await told(http, run_id)
        created = events[0].data
        again = {step["step"]: step["source"] for step in created["steps"] if step.get("source")}
        lanes = {step["step"]: step["generation"] for step in parent["steps"]}
        assert again == {
            name: {"run_id": parent["id"], "lane": lanes[name]} for name in lanes if name not in anew and lanes[name]
        }
        assert {step["step"] for step in run["steps"] if step["origin"]} == set(lanes) - anew


async def test_a_fork_with_another_prompt_model_and_input(stack: Stack, model: HashModel) -> None:
    definition, inputs = graphs.twelve("skip"), graphs.inputs(new_id("m"))
    async with stack.client() as http:
        parent = await first_run(http, definition, inputs)
        before = model.asked(inputs["mark"])
        changes = {"formal": {"prompt": graphs.order("formal") + "Otherwise: ${gate.output} ${note}", "model": RESTART}}
        run_id = await begun(
            http, f"/v1/runs/{parent['id']}/fork", **{"from": "formal", "inputs": {"note": "n"}, "steps": changes}
        )
        run = await ended(http, run_id)
        assert set(model.asked(inputs["mark"]) - before) == {"formal", "both", "summary"}
        old = evaluate(definition, inputs).steps
        (formal,) = [step for step in run["steps"] if step["step"] == "formal"]
        asked = (("user", f"[[mark={inputs['mark']} step=formal rate=400]]\nOtherwise: {old['gate'].output} n"),)
        assert tuple((turn["role"], turn["content"]) for turn in formal["turns"]) == asked
        assert (formal["model"], formal["output"]) == (RESTART, answer(asked, RESTART, WORDS))
        assert statuses(run) == {name: step.outcome for name, step in old.items()}
        await told(http, run_id)


async def test_a_failed_step_is_retried_with_what_came_before_it(stack: Stack, model: HashModel) -> None:
    definition, inputs = graphs.chain(["a", "b", "c"]), graphs.inputs(new_id("m"))
    broken = definition.steps[1].model_copy(
        update={"prompt": definition.steps[1].prompt.replace("words=10", "words=10 refuse=400 times=1"), "retries": 0}
    )
    definition = definition.model_copy(update={"steps": (definition.steps[0], broken, definition.steps[2])})
    async with stack.client() as http:
        parent = await ended(http, await begin(http, definition, inputs))
        assert statuses(parent) == {"a": "completed", "b": "failed", "c": "skipped"}
        assert_as(parent, evaluate(definition, inputs), definition)
        run = await ended(http, await begun(http, f"/v1/runs/{parent['id']}/steps/b/retry"))
        assert statuses(run) == {"a": "completed", "b": "completed", "c": "completed"}
        assert model.asked(inputs["mark"]) == {"a": 1, "b": 2, "c": 1}
        assert run["steps"][1]["turns"] == parent["steps"][1]["turns"]
        assert run["outputs"]["c"] == run["steps"][2]["output"]
        await told(http, run["id"])
