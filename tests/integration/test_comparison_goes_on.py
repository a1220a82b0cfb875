"""A comparison over HTTP, and what is made of it: a vote, places on the board, a conversation, a file."""

from typing import Any

import httpx

from tests.fixtures.polling import until
from tests.fixtures.stack import Stack


async def ended(http: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    async def look() -> dict[str, Any]:
        found = (await http.get(f"/v1/comparisons/{run_id}")).json()
        return found if found["status"] != "running" else {}

    return await until(look)


async def test_from_a_blind_comparison_to_a_conversation(stack: Stack) -> None:
    headers = {"authorization": f"Bearer {stack.token('ada', tenant='goes-on')}"}
    async with httpx.AsyncClient(base_url=stack.url, headers=headers, timeout=30, trust_env=False) as http:
        body = {"models": ["demo-swift", "demo-sage"], "prompt": "Say this", "system": "Be brief.", "blind": True}
        run_id = (await http.post("/v1/comparisons", json=body)).json()["run_id"]
        hidden = await ended(http, run_id)
        lane = hidden["lanes"][0]["lane"]
        going_on = f"/v1/comparisons/{run_id}/lanes/{lane}/conversation"
        assert (await http.post(going_on)).json()["code"] == "not_voted"
        exported = (await http.get(f"/v1/comparisons/{run_id}/export")).json()
        assert [(each["model"], each["cost_usd"]) for each in exported["lanes"]] == [(None, None), (None, None)]
        exported_to_read = (await http.get(f"/v1/comparisons/{run_id}/export?format=markdown")).text
        assert "\n### 1. Answer\n" in exported_to_read, "the demo models name themselves, but only in what they say"
        assert (await http.get("/v1/leaderboard")).json()["items"] == []

        vote = await http.post(f"/v1/comparisons/{run_id}/votes", json={"outcome": "winner", "winner": lane})
        best, other = vote.json()["lanes"]
        board = (await http.get("/v1/leaderboard", params={"which": "blind"})).json()
        assert [(item["model"], item["wins"]) for item in board["items"]] == [
            (best["model"], 1.0),
            (other["model"], 0.0),
        ]
        exported_to_read = (await http.get(f"/v1/comparisons/{run_id}/export?format=markdown")).text
        assert f"\n### 1. {best['model']}\n" in exported_to_read

        made = await http.post(going_on)
        assert made.status_code == 201, made.text
        conversation = made.headers["location"]
        assert (await http.post(going_on)).json() == made.json()
        sent = {"content": "And then?", "model": "demo-swift"}
        run = (await http.post(f"{conversation}/messages", json=sent)).json()

        async def answered() -> list[dict[str, Any]]:
            items: list[dict[str, Any]] = (await http.get(f"{conversation}/messages")).json()["items"]
            return items if items[-1]["id"] == run["message_id"] else []

        said = await until(answered)
        assert [each["content"] for each in said[:3]] == ["Say this", best["text"], "And then?"]
        assert [each.get("model") for each in said] == [None, best["model"], None, "demo-swift"]
