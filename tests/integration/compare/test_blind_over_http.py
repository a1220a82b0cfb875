"""Before the vote of a blind comparison no byte on any route says whose an answer is; after it they all do.

One lane fails, one is asked again before its first word, one breaks off and is gone on with, one thinks aloud.
"""

import httpx
import pytest

from tests.fixtures.bus import purge_run
from tests.fixtures.model_server import ModelServer
from tests.fixtures.problems import assert_problem
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack
from tests.integration.compare.over_http import compare, ended, get, without_words

MODELS = ("mock", "demo-thinker", "demo-flaky", "unreachable")
HINTS = (
    *MODELS,
    "nobody",
    "demo",
    "gpt",
    "usd",
    "prefill",
    "retry after",
    "refused",
    "usage",
    "output_tokens",
    "_ms",
    "Ms",
)
"""What would say it; the names of fields, too."""


async def everything(http: httpx.AsyncClient, run_id: str) -> dict[str, bytes]:
    """What every route says of it."""
    got = {}
    for path in (
        f"/v1/runs/{run_id}",
        f"/v1/runs/{run_id}/events",
        "/v1/runs",
        f"/v1/comparisons/{run_id}",
        "/v1/comparisons",
        f"/api/compare/{run_id}/stream",
    ):
        response = await http.get(path)
        assert response.status_code == 200, (path, response.text)
        got[path] = response.content
    return got


def hints(raw: bytes) -> list[str]:
    """What it says of whose the answers are."""
    said = without_words(raw)
    for name in (
        "model",
        "provider",
        "cost_usd",
        "usage",
        "first_token_ms",
        "total_ms",
        "queued_ms",
        "tokens_per_second",
    ):
        said = said.replace(f'"{name}": null', "").replace(f'"{name}": ""', "")
    return [hint for hint in HINTS if hint in said]


@pytest.mark.parametrize("purged", [False, True], ids=["in the log", "stored"])
async def test_nothing_says_whose_an_answer_is_before_the_vote(
    stack: Stack, servers: Servers, model_server: ModelServer, purged: bool
) -> None:
    await model_server.fail(503, model="gpt-4o")
    await model_server.reply("An answer of its own.", model="gpt-4o")
    async with stack.client() as http:
        told = await compare(http, "fail after 12 tokens", *MODELS, blind=True)
        run_id = told.run_id
        assert hints(told.raw) == []
        kinds = {event.type for event in told.events}
        assert {"notice", "generation.resumed", "generation.failed"} <= kinds
        assert "generation.reasoning" not in kinds
        before = await ended(http, run_id)
        assert (before["blind"], before["revealed"]) == (True, False)
        if purged:
            await purge_run(servers, run_id)
        for path, raw in (await everything(http, run_id)).items():
            assert hints(raw) == [], path
        outcomes = {each["lane"]: each["outcome"] for each in told.one("run.completed")["lanes"]}
        assert sorted(outcomes.values()) == ["completed", "completed", "completed", "failed"]

        add = {"add": ["demo-sage"]}
        assert_problem(await http.post(f"/v1/comparisons/{run_id}/runs", json=add), 409, "not_voted")
        winner = next(lane for lane, outcome in outcomes.items() if outcome == "completed")
        vote = {"outcome": "winner", "winner": winner}
        voted = (await http.post(f"/v1/comparisons/{run_id}/votes", json=vote)).json()
        assert {lane["model"] for lane in voted["lanes"]} == set(MODELS)
        for path, raw in (await everything(http, run_id)).items():
            assert set(MODELS) <= set(hints(raw)), path
        for lane in (await get(http, run_id))["lanes"]:
            assert told.text(lane=lane["lane"]) == (lane["text"] or "")


async def test_a_lane_that_answers_anew_before_the_vote_is_blind_too(stack: Stack) -> None:
    async with stack.client() as http:
        told = await compare(http, "Hello", "demo-swift", "unreachable", blind=True)
        before = await ended(http, told.run_id)
        (failed,) = [lane["lane"] for lane in before["lanes"] if lane["status"] == "failed"]
        response = await http.post(
            f"/v1/comparisons/{told.run_id}/runs", json={"retry": [failed]}, headers={"accept": "text/event-stream"}
        )
        assert response.status_code == 200, response.text
        assert hints(response.content) == []
        again = response.headers["location"].removeprefix("/v1/runs/")
        assert again.endswith("_blind")
        for path, raw in (await everything(http, again)).items():
            assert hints(raw) == [], path
