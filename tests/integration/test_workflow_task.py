"""What Step Functions starts, against real services: one run, its checkpoints, and how the step ends."""

import asyncio
from typing import Any

from pydantic import SecretStr

from kit.settings import WorkflowSettings
from services.commands.workflow_run import perform
from services.commands.workflow_step import WorkflowStep
from tests.fixtures.stack import Stack


class Step(WorkflowStep):
    """A step whose other side is here."""

    def __init__(self, asked: dict[str, Any], name: str, checkpoint: dict[str, Any] | None = None) -> None:
        self._asked, self.name, self.key = asked, name, f"checkpoints/{name}.json"
        self.saved: list[dict[str, Any]] = [checkpoint] if checkpoint else []
        self.beats = 0
        self.ended: list[tuple[str, Any]] = []

    async def asked(self) -> dict[str, Any]:
        return self._asked

    async def load(self) -> dict[str, Any]:
        return self.saved[-1] if self.saved else {}

    async def save(self, checkpoint: dict[str, Any]) -> None:
        self.saved.append(checkpoint)

    async def beat(self) -> None:
        self.beats += 1

    async def succeed(self, output: dict[str, Any]) -> None:
        self.ended.append(("succeeded", output))

    async def fail(self, error: str, cause: str) -> None:
        self.ended.append((error, cause))


def settings(stack: Stack, user: str = "workflow", seconds: float = 0.05) -> WorkflowSettings:
    token = SecretStr(stack.token(user))
    return WorkflowSettings(url=stack.url, token=token, checkpoint_seconds=seconds)


async def test_a_run_is_followed_to_its_end_with_checkpoints_on_the_way(stack: Stack) -> None:
    step = Step({"prompt": "Tell me about rivers", "model": "demo-sage"}, "run-1")
    await asyncio.wait_for(perform(settings(stack), step), 60)
    ((how, output),) = step.ended
    assert how == "succeeded", output
    assert step.beats >= 1
    last = step.saved[-1]
    assert last["run_id"] == output["run_id"]
    assert last["result"]["status"] == "completed"
    assert all(saved["run_id"] == output["run_id"] for saved in step.saved)


async def test_another_attempt_gets_the_same_run_with_a_checkpoint_and_without(stack: Stack) -> None:
    asked = {"prompt": "Hello", "model": "demo-swift"}
    first = Step(asked, "run-2")
    await asyncio.wait_for(perform(settings(stack), first), 60)
    for again in (Step(asked, "run-2"), Step(asked, "run-2", first.saved[0])):
        await asyncio.wait_for(perform(settings(stack), again), 60)
        assert again.ended[0][0] == "succeeded", again.ended
        assert again.ended[0][1]["run_id"] == first.ended[0][1]["run_id"]


async def test_what_is_refused_is_not_to_be_tried_again(stack: Stack) -> None:
    for asked in ({"prompt": "Hello", "model": "no-such-model"}, {"prompt": ""}, {"assistant": "asst_nobodys"}):
        step = Step(asked, "run-3")
        await asyncio.wait_for(perform(settings(stack), step), 60)
        assert [how for how, _ in step.ended] == ["Refused"], step.ended
