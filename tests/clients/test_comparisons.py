"""The AI SDK's own chat reads a comparison: every lane in its slot, a failing one too, and again after a reload."""

from typing import Any

import pytest

from tests.clients.npm import Node
from tests.fixtures.stack import Stack

MODELS = ["demo-thinker", "unreachable", "demo-flaky"]
PROMPT = "fail after 12 tokens"


@pytest.mark.parametrize("major", [5, 6, 7])
async def test_a_comparison_is_one_message_of_the_sdk(stack: Stack, node: Node, major: int) -> None:
    async with stack.client() as http:
        token = http.headers["authorization"].removeprefix("Bearer ")
        task = {"action": "compare", "url": stack.url, "prompt": PROMPT, "models": MODELS, "token": token}
        tasks = [{**task, "name": "open", "blind": False}, {**task, "name": "blind", "blind": True}]
        told: dict[str, dict[str, Any]] = await node.run("compare.mjs", package=f"ai{major}", tasks=tasks)
        for name, both in told.items():
            assert "problem" not in both, both
            for seen in both.values():
                assert (seen["status"], seen.get("error"), seen["messages"]) == ("ready", None, 2), name
                stored = (await http.get(f"/v1/comparisons/{seen['metadata']['runId']}")).json()
                assert len(stored["lanes"]) == len(MODELS)
                for slot, lane in zip(seen["slots"], stored["lanes"], strict=True):
                    assert (slot["lane"], slot["status"], slot["text"]) == (
                        lane["lane"],
                        lane["status"],
                        lane["text"] or "",
                    )
                    assert slot.get("model") == lane["model"]
                    assert ("error" in slot) is (lane["status"] == "failed")
        assert [slot["model"] for slot in told["open"]["first"]["slots"]] == MODELS
        for seen in told["blind"].values():
            assert "unreachable" not in seen["whole"]
            assert all("usage" not in slot and "model" not in slot for slot in seen["slots"])
