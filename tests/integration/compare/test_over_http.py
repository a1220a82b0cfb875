"""A comparison over HTTP, from the question to the vote, with everything real behind it."""

import asyncio
from typing import Any

import pytest

from tests.fixtures.bus import purge_run
from tests.fixtures.events import send, shown
from tests.fixtures.polling import until
from tests.fixtures.problems import assert_problem
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack
from tests.fixtures.watchers import Watcher
from tests.integration.compare.over_http import begin, compare, ended, get, whole

SEED = 20261127
NUMBERS = 1200
SLOW = f"{NUMBERS} numbers at 60 tokens/s"
LANES = ("demo-marathon", "demo-thinker", "demo-swift")


async def test_lanes_over_one_connection_cut_anywhere_and_resumed_by_one_cursor(stack: Stack) -> None:
    async with stack.client() as http:
        run_id = await begin(http, SLOW, *LANES)
        stays, returns, reloads = (Watcher(http, run_id) for _ in range(3))

        async def reload() -> dict[str, Any]:
            """The page is loaded anew in the middle of an answer."""

            async def under_way() -> bool:
                return stays.heard > 20  # a busy machine tells them in few and long pieces

            await until(under_way)
            page = await get(http, run_id)
            await reloads.stay()
            return page

        page, *_ = await asyncio.gather(reload(), stays.stay(), returns.come_and_go(SEED))
        seen = [shown(watcher.seen) for watcher in (stays, returns, reloads)]
        assert seen[0] == seen[1] == seen[2]
        stored = await ended(http, run_id)
        created = stays.told.one("run.created")
        assert [plan["model"] for plan in created["generations"]] == list(LANES)
        for plan, lane, before in zip(created["generations"], stored["lanes"], page["lanes"], strict=True):
            assert (lane["lane"], lane["model"], lane["status"]) == (plan["lane"], plan["model"], "completed")
            assert seen[0][lane["lane"]]["text"] == lane["text"]
            assert lane["text"].startswith(before["text"] or "")
            assert lane["usage"]["output_tokens"] > 0
            assert lane["first_token_ms"] <= lane["total_ms"]
        assert page["lanes"][0]["status"] == "running"
        numbers = stored["lanes"][0]["text"].split("\n\n")[1]
        assert numbers.split() == [str(number) for number in range(1, NUMBERS + 1)]
        summary = {each["lane"]: each["outcome"] for each in stays.told.one("run.completed")["lanes"]}
        assert summary == {lane["lane"]: "completed" for lane in stored["lanes"]}


async def test_one_lane_fails_one_is_stopped_and_the_third_does_not_notice(stack: Stack) -> None:
    async with stack.client() as http:
        run_id = await begin(http, "for 1 hour at 200 tok/s", "demo-marathon", "unreachable", "demo-swift")
        lane = (await get(http, run_id))["lanes"][0]["lane"]

        async def alone() -> bool:
            return [each["status"] for each in (await get(http, run_id))["lanes"]] == ["running", "failed", "completed"]

        await until(alone)
        early = await http.post(f"/v1/comparisons/{run_id}/votes", json={"outcome": "tie"})
        assert_problem(early, 409, "run_in_progress")
        assert_problem(await http.delete(f"/v1/comparisons/{run_id}"), 409, "run_in_progress")
        assert (await http.post(f"/v1/comparisons/{run_id}/lanes/{lane}/cancel")).status_code == 200
        unknown = await http.post(f"/v1/comparisons/{run_id}/lanes/lane_0/cancel")
        assert_problem(unknown, 404, "unknown_lane")
        told = await whole(http, run_id)
        assert [each["outcome"] for each in told.one("run.completed")["lanes"]] == ["cancelled", "failed", "completed"]
        stored = await ended(http, run_id)
        assert [each["status"] for each in stored["lanes"]] == ["cancelled", "failed", "completed"]
        assert stored["lanes"][0]["text"]


async def test_a_vote_is_given_once_and_the_same_again_changes_nothing(stack: Stack) -> None:
    async with stack.client() as http:
        told = await compare(http, "Hello", "demo-swift", "demo-sage")
        run_id, url = told.run_id, f"/v1/comparisons/{told.run_id}/votes"
        lanes = [lane["lane"] for lane in (await ended(http, run_id))["lanes"]]
        vote = {"outcome": "winner", "winner": lanes[1], "ratings": [{"lane": lanes[0], "rating": "down"}]}
        for _ in range(2):
            voted = await http.post(url, json=vote)
            assert voted.status_code == 200, voted.text
            assert voted.json()["vote"]["winner"] == lanes[1]
            assert [lane["rating"] for lane in voted.json()["lanes"]] == ["down", None]
        assert_problem(await http.post(url, json={"outcome": "tie"}), 409, "already_voted")
        assert_problem(await http.post(url, json={"outcome": "winner"}), 422, "invalid_vote")
        assert (await get(http, run_id))["vote"]["outcome"] == "winner"


@pytest.mark.parametrize(
    ("models", "code"),
    [
        ([], "too_few_models"),
        (["demo-swift"], "too_few_models"),
        (["demo-swift", "demo-swift"], "duplicate_model"),
        (["demo-swift", "no-such-model"], "unknown_model"),
        ([{"model": "demo-swift", "parameters": {"seed": n}} for n in range(9)], "too_many_models"),
    ],
)
async def test_models_that_cannot_be_compared(stack: Stack, models: list[Any], code: str) -> None:
    async with stack.client() as http:
        answer = await http.post("/v1/comparisons", json={"prompt": "Hello", "models": models})
        assert_problem(answer, 422, code)
        old = {"prompt": "Hello", "model1Id": models[0], "model2Id": models[1]} if len(models) == 2 else None
        if old:
            assert_problem(await http.post("/api/compare", json=old), 422, code)
        assert (await http.get("/v1/runs")).json()["items"] == []


async def test_runs_of_every_kind_are_one_list_page_by_page(stack: Stack) -> None:
    async with stack.client() as http:
        begun = []
        for number in range(3):
            begun.append((await send(http, "Hello")).run_id)
            begun.append((await compare(http, "Hello", "demo-swift", "demo-sage", blind=number == 1)).run_id)
        seen: list[str] = []
        before: dict[str, Any] = {}
        while True:
            page = (await http.get("/v1/runs", params={"limit": 1, **before})).json()
            seen += [run["id"] for run in page["items"]]
            if page["next"] is None:
                break
            before = {"before": page["next"]}
        assert seen == list(reversed(begun))
        page = (await http.get("/v1/runs")).json()
        assert [(run["id"], run["kind"]) for run in page["items"]] == [
            (run_id, "compare" if run_id.startswith("cmp") else "chat") for run_id in seen
        ]


async def test_the_same_key_is_the_same_comparison(stack: Stack) -> None:
    async with stack.client() as http:
        http.headers["idempotency-key"] = "once"
        first = await compare(http, "Hello", "demo-swift", "demo-sage")
        assert await begin(http, "Hello", "demo-swift", "demo-sage") == first.run_id
        other = {"prompt": "Hello", "models": ["demo-swift", "demo-thinker"]}
        assert_problem(await http.post("/v1/comparisons", json=other), 409, "idempotency_conflict")


async def test_when_the_log_is_gone_it_is_told_from_what_is_stored(stack: Stack, servers: Servers) -> None:
    async with stack.client() as http:
        told = await compare(http, "Hello", "demo-thinker", "unreachable")
        stored = await ended(http, told.run_id)
        await purge_run(servers, told.run_id)
        again = await whole(http, told.run_id)
        for lane in stored["lanes"]:
            assert again.text(lane=lane["lane"]) == told.text(lane=lane["lane"]) == (lane["text"] or "")
        assert again.one("run.completed")["lanes"] == told.one("run.completed")["lanes"]
        assert again.one("run.created")["generations"] == told.one("run.created")["generations"]
