"""Our own Python client runs an assistant: it follows the steps, approves, and forks."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from contracts import architect_values as values
from studio_client import Studio
from tests.fixtures import assistant_log as log
from tests.fixtures.own_edge import OwnEdge
from tests.integration.edge.test_assistant_routes import ASST, SMALL, assistant
from tests.integration.edge.test_assistant_run_routes import RUN, a_run, a_step


def studio(edge: OwnEdge) -> Studio:
    return Studio("http://edge", http=edge.http)


async def test_a_run_is_followed_to_its_end(edge: OwnEdge) -> None:
    writing: list[asyncio.Task[Any]] = []

    def start(body: dict[str, Any]) -> values.AssistantRunStarted:
        writing.append(asyncio.create_task(edge.write(body["run_id"], *log.run(body["run_id"]))))
        return values.AssistantRunStarted(run_id=body["run_id"])

    edge.answers["architect.start_run"] = edge.answers["architect.fork_run"] = start
    async with studio(edge) as client:
        run = client.assistants.run(ASST, {"topic": "rivers"}, version=2)
        transcript = await run.wait()
        assert {step: transcript.output(step) for step in log.OUTPUTS} == log.OUTPUTS
        assert (transcript.kind, transcript.ending) == ("architect", "run.completed")
        assert transcript.steps[log.CHECK].status == "skipped"
        command = edge.asked[-1][1]
        assert (command["assistant_id"], command["inputs"], command["version"]) == (ASST, {"topic": "rivers"}, 2)
        assert command["idempotency_key"]
        again = await client.run(run.id).wait()
        assert again.output(log.RIGHT) == log.OUTPUTS[log.RIGHT]

        forked = client.assistants.fork(run.id, "draft", inputs={"topic": "seas"})
        await forked.wait()
        command = edge.asked[-1][1]
        assert (command["parent_run_id"], command["step"], command["inputs"]) == (run.id, "draft", {"topic": "seas"})
        assert forked.id != run.id
    await asyncio.gather(*writing)


async def test_steps_are_looked_at_and_decided(edge: OwnEdge) -> None:
    run = a_run(a_step("letter", status="approval"))
    edge.answers["architect.get_assistant_run"] = edge.answers["architect.decide_approval"] = lambda _: run
    async with studio(edge) as client:
        told = await client.assistants.steps(RUN)
        assert told["steps"][0]["status"] == "approval"
        for decide, approved in ((client.assistants.approve, True), (client.assistants.reject, False)):
            await decide(RUN, "letter", "why")
            command = edge.asked[-1][1]
            assert (command["step"], command["approved"], command["comment"]) == ("letter", approved, "why")


async def test_assistants_are_made_listed_and_looked_at(edge: OwnEdge) -> None:
    found = assistant(created_at=datetime.now(UTC))
    edge.answers["architect.create_assistant"] = edge.answers["architect.get_assistant"] = lambda _: found
    edge.answers["architect.list_assistants"] = lambda body: values.AssistantPage(
        items=(found,), next=None if body.get("before") else ASST
    )
    async with studio(edge) as client:
        made = await client.assistants.create(name="Texts", definition=SMALL)
        assert made["id"] == ASST
        assert (await client.assistants.get(ASST, version=2))["id"] == ASST
        assert edge.asked[-1][1]["version"] == 2
        assert [each["id"] async for each in client.assistants.all(mine=True)] == [ASST, ASST]
