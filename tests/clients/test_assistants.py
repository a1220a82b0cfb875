"""The AI SDK's own chat reads a run of an assistant: steps side by side, a retry, a failure; again after a reload."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from contracts.architect_values import AssistantRunStarted
from kit.runtime.embedded_nats import EmbeddedNats
from tests.clients.npm import Node
from tests.fixtures import assistant_log as log
from tests.fixtures.own_edge import OwnEdge, listening, own_edge

ASSISTANT = "asst_1"
ENDINGS = {"whole": log.run_completed, "broken": log.run_failed, "stopped": log.run_cancelled}


def answering(edge: OwnEdge, writing: list[asyncio.Task[Any]]) -> None:
    """Architect's part: the run goes as its inputs say, event by event."""

    def start(body: dict[str, Any]) -> AssistantRunStarted:
        run_id, how = body["run_id"], body["inputs"]["how"]
        told = [*log.run(run_id)[:-1], ENDINGS[how](run_id)]
        writing.append(asyncio.create_task(edge.write(run_id, *told)))
        return AssistantRunStarted(run_id=run_id)

    edge.answers["architect.start_run"] = start


@pytest.mark.parametrize("major", [5, 6, 7])
async def test_a_run_is_one_message_of_the_sdk(tmp_path: Path, node: Node, major: int) -> None:
    nats = EmbeddedNats(tmp_path / "nats")
    await nats.start()
    writing: list[asyncio.Task[Any]] = []
    try:
        async with own_edge(nats.url) as edge, listening(edge) as url:
            await edge.serve("architect")
            answering(edge, writing)
            task = {"action": "assistant", "url": url, "assistant": ASSISTANT, "prompt": "Go"}
            task["token"] = edge.http.headers["authorization"].removeprefix("Bearer ")
            tasks = [{**task, "name": name, "inputs": {"how": name}} for name in ENDINGS]
            told: dict[str, dict[str, Any]] = await node.run("assistant.mjs", package=f"ai{major}", tasks=tasks)
            await asyncio.gather(*writing)
    finally:
        await nats.stop()
    for name, both in told.items():
        assert "problem" not in both, both
        for seen in both.values():
            error = log.ERROR.message if name == "broken" else None
            assert (seen["status"], seen.get("error")) == ("error" if error else "ready", error), name
            outputs = {step["step"]: step["text"] for step in seen["steps"] if step["text"]}
            assert outputs == log.OUTPUTS
            statuses = [step["status"] for step in seen["steps"]]
            assert statuses == ["completed", "completed", "completed", "skipped", "failed", "completed"]
            assert seen["kinds"].count("step-start") == 4
            assert set(seen["states"]) == {"done"}
            assert [step["step"] for step in seen["metadata"]["steps"]] == list(log.NAMES)
    assert told["whole"]["first"]["metadata"]["usage"]["totalTokens"] == 15
