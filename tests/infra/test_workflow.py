"""The state machine: its shape in the template, and its runs in a machine that executes it."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from infra.stacks.workflow import CHECKPOINT_SECONDS
from kit.settings import WorkflowSettings
from services.commands.workflow_step import WorkflowStep
from tests.infra.cloud.deploy import Deployed, assert_complete, deployed
from tests.infra.synthesized import Synthesized

HEARTBEAT_SECONDS = 20
"""Instead of ten minutes; the graph is as it is."""
BEAT_SECONDS, BEATS = 4, 6
"""Together longer than a heartbeat, and each so much shorter that a slow machine is not late."""
ENDS_WITHIN_SECONDS = 200
REQUEST = {"prompt": "Tell me about rivers", "model": "demo-sage"}


def graph(cloud: Synthesized) -> dict[str, Any]:
    parts = cloud.only("AWS::StepFunctions::StateMachine")["DefinitionString"]["Fn::Join"][1]
    return dict(json.loads("".join(part if isinstance(part, str) else "x" for part in parts)))


def test_the_steps_follow_each_other_and_a_failure_is_told(cloud: Synthesized) -> None:
    said = graph(cloud)
    states = said["States"]
    assert said["StartAt"] == "InvokeModel"
    assert states["InvokeModel"]["Next"] == "SaveResults"
    assert states["SaveResults"]["Next"] == "SendNotification"
    assert states["SendNotification"]["End"] is True
    for name in ("InvokeModel", "SaveResults", "SendNotification"):
        assert states[name]["Catch"][0]["Next"] == "SendFailure"
        assert states[name]["Retry"][0]["MaxAttempts"] == 3
    assert states["SendFailure"]["Next"] == "Failed"


def test_a_checkpoint_of_five_minutes_is_the_heartbeat_and_two_may_be_late(cloud: Synthesized) -> None:
    invoke = graph(cloud)["States"]["InvokeModel"]
    assert CHECKPOINT_SECONDS == WorkflowSettings().checkpoint_seconds == 300
    assert invoke["HeartbeatSeconds"] == 2 * CHECKPOINT_SECONDS
    assert {"States.HeartbeatTimeout", "States.Timeout", "Retryable"} <= set(invoke["Retry"][0]["ErrorEquals"])
    assert "Refused" not in invoke["Retry"][0]["ErrorEquals"]


@dataclass
class Machine:
    """The state machine of a deployed profile, and the tasks that it has started."""

    there: Deployed
    arn: str
    bucket: str
    attempts: list[WorkflowStep] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def start(self) -> str:
        states = self.there.client("stepfunctions")
        name = f"run-{time.time_ns()}"
        return str(
            states.start_execution(stateMachineArn=self.arn, name=name, input=json.dumps(REQUEST))["executionArn"]
        )

    def next_attempt(self) -> WorkflowStep | None:
        """The task that was started since the last one, as its own code sees it."""
        ecs = self.there.client("ecs")
        (cluster,) = ecs.list_clusters()["clusterArns"]
        arns = [arn for arn in ecs.list_tasks(cluster=cluster)["taskArns"] if arn not in self._seen]
        for task in ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []:
            self._seen.add(task["taskArn"])
            (override,) = task["overrides"]["containerOverrides"]
            told = {
                pair["name"].removeprefix("STUDIO_WORKFLOW_").lower(): pair["value"] for pair in override["environment"]
            }
            self.attempts.append(WorkflowStep(WorkflowSettings(bucket=self.bucket, **told)))
            return self.attempts[-1]
        return None

    def run(self, attempt: Callable[[WorkflowStep, int], None]) -> dict[str, Any]:
        """One execution to its end; each task does what `attempt` does."""
        self.attempts.clear()
        arn = self.start()
        states = self.there.client("stepfunctions")
        until = time.monotonic() + ENDS_WITHIN_SECONDS
        working: list[threading.Thread] = []
        while time.monotonic() < until:
            found = self.next_attempt()
            if found is not None:
                thread = threading.Thread(target=attempt, args=(found, len(self.attempts)), daemon=True)
                working.append(thread)
                thread.start()
            told = dict(states.describe_execution(executionArn=arn))
            if told["status"] != "RUNNING":
                for thread in working:
                    thread.join(5)
                return told
            time.sleep(0.05)
        raise AssertionError("the execution does not end")

    def entered(self, told: dict[str, Any]) -> list[str]:
        history = self.there.client("stepfunctions").get_execution_history(
            executionArn=told["executionArn"], maxResults=500
        )
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in history["events"]
            if "stateEnteredEventDetails" in event
        ]

    def failure(self, told: dict[str, Any]) -> dict[str, Any]:
        """What is told of a failure. Its cause is lost in moto, which keeps the error only."""
        states = self.there.client("stepfunctions")
        events = states.get_execution_history(executionArn=told["executionArn"], maxResults=500)["events"]
        entered = [event["stateEnteredEventDetails"] for event in events if "stateEnteredEventDetails" in event]
        (given,) = (json.loads(one["input"]) for one in entered if one["name"] == "SendFailure")
        return dict(given["failure"])

    def result(self, step: WorkflowStep) -> dict[str, Any] | None:
        files = self.there.client("s3")
        found = [one["Key"] for one in files.list_objects_v2(Bucket=self.bucket, Prefix="results/").get("Contents", [])]
        if f"results/{step.name}.json" not in found:
            return None
        return dict(json.loads(files.get_object(Bucket=self.bucket, Key=f"results/{step.name}.json")["Body"].read()))


@pytest.fixture(scope="module")
def machine(small: Synthesized) -> Iterator[Machine]:
    def quicker(text: str) -> str:
        heartbeat = f'\\"HeartbeatSeconds\\":{2 * CHECKPOINT_SECONDS}'
        waits = '\\"IntervalSeconds\\":5,'
        if "AWS::StepFunctions::StateMachine" in text:
            assert heartbeat in text
            assert waits in text
        text = text.replace(heartbeat, f'\\"HeartbeatSeconds\\":{HEARTBEAT_SECONDS}')
        return text.replace(waits, '\\"IntervalSeconds\\":1,').replace('\\"BackoffRate\\":2', '\\"BackoffRate\\":1')

    with deployed(small, quicker) as there:
        states = there.client("stepfunctions")
        (one,) = states.list_state_machines()["stateMachines"]
        bucket = next(b["Name"] for b in there.client("s3").list_buckets()["Buckets"] if "results" in b["Name"])
        yield Machine(there, one["stateMachineArn"], bucket)


def test_every_stack_of_small_is_complete(machine: Machine, small: Synthesized) -> None:
    assert_complete(machine.there, small)


def done(step: WorkflowStep, run: str) -> None:
    async def go() -> None:
        await step.save({"run_id": run, "cursor": "5f-9", "result": {"status": "completed", "text": "Rivers flow."}})
        await step.succeed({"run_id": run, "status": "completed", "checkpoint": step.key})

    asyncio.run(go())


def test_a_run_that_takes_longer_than_a_heartbeat_ends_with_its_result_kept_and_told(machine: Machine) -> None:
    def attempt(step: WorkflowStep, number: int) -> None:
        async def beat() -> None:
            assert await step.asked() == REQUEST
            assert await step.load() == {}
            for cursor in range(BEATS):
                await step.save({"run_id": "chat_1", "cursor": f"5f-{cursor}"})
                await step.beat()
                await asyncio.sleep(BEAT_SECONDS)

        asyncio.run(beat())
        done(step, "chat_1")

    assert BEAT_SECONDS * BEATS > HEARTBEAT_SECONDS
    told = machine.run(attempt)
    assert told["status"] == "SUCCEEDED", told
    assert machine.entered(told) == ["InvokeModel", "SaveResults", "SendNotification"]
    assert len(machine.attempts) == 1
    kept = machine.result(machine.attempts[0])
    assert kept is not None
    assert kept["result"]["text"] == "Rivers flow."


def test_when_the_heartbeat_is_lost_another_attempt_goes_on_with_the_same_run(machine: Machine) -> None:
    loaded: list[dict[str, Any]] = []

    def attempt(step: WorkflowStep, number: int) -> None:
        async def first() -> None:
            await step.save({"run_id": "chat_2", "cursor": "5f-7"})
            await step.beat()  # and never again: the task is gone

        async def look() -> None:
            loaded.append(await step.load())

        asyncio.run(first() if number == 1 else look())
        if number == 2:
            done(step, loaded[0]["run_id"])

    told = machine.run(attempt)
    assert told["status"] == "SUCCEEDED", told
    assert len(machine.attempts) == 2
    assert loaded == [{"run_id": "chat_2", "cursor": "5f-7"}]
    assert json.loads(told["output"])["invoked"]["run_id"] == "chat_2"


def test_what_can_never_succeed_is_not_tried_again_and_is_told(machine: Machine) -> None:
    told = machine.run(lambda step, number: asyncio.run(step.fail("Refused", "there is no such model")))
    assert told["status"] == "FAILED"
    assert machine.entered(told) == ["InvokeModel", "SendFailure", "Failed"]
    assert len(machine.attempts) == 1
    assert machine.failure(told)["Error"] == "Refused"
    assert machine.result(machine.attempts[0]) is None


def test_what_may_succeed_is_tried_three_times_more_and_no_more(machine: Machine) -> None:
    told = machine.run(lambda step, number: asyncio.run(step.fail("Retryable", f"attempt {number} is stopped")))
    assert told["status"] == "FAILED"
    assert machine.entered(told)[-2:] == ["SendFailure", "Failed"]
    assert len(machine.attempts) == 1 + 3
    assert machine.failure(told)["Error"] == "Retryable"
