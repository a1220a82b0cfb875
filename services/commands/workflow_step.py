"""The waiting step of an AWS Step Functions execution, and what is kept for it in Amazon S3."""

import asyncio
import json
from typing import Any

from kit.settings import WorkflowSettings

CHECKPOINTS = "checkpoints"
MAX_CAUSE_CHARACTERS = 32_000
"""Step Functions takes a little more."""


class WorkflowStep:
    """AWS's side of one task. Its calls block, so each is made in a thread."""

    def __init__(self, settings: WorkflowSettings) -> None:
        from botocore.session import Session

        session = Session()
        self._settings = settings
        self._states = session.create_client("stepfunctions")
        self._files = session.create_client("s3")
        self.name = settings.execution.rpartition(":")[2]
        """Of the execution: no other one of this state machine has had it."""
        self.key = f"{CHECKPOINTS}/{self.name}.json"

    async def asked(self) -> dict[str, Any]:
        """The input of the execution. It is read here because a task's own variables have room for 8 KiB."""
        told = await asyncio.to_thread(self._states.describe_execution, executionArn=self._settings.execution)
        return dict(json.loads(told["input"]))

    async def load(self) -> dict[str, Any]:
        """The newest checkpoint; empty if an attempt before ours left none."""
        return await asyncio.to_thread(self._load)

    async def save(self, checkpoint: dict[str, Any]) -> None:
        """Keep a checkpoint in the place of the one before."""
        body = json.dumps(checkpoint).encode()
        await asyncio.to_thread(
            self._files.put_object,
            Bucket=self._settings.bucket,
            Key=self.key,
            Body=body,
            ContentType="application/json",
        )

    async def beat(self) -> None:
        """Say that we are at it. If nobody does for two checkpoints, another attempt begins."""
        await self._tell("send_task_heartbeat")

    async def succeed(self, output: dict[str, Any]) -> None:
        """End the step; `output` is small."""
        await self._tell("send_task_success", output=json.dumps(output))

    async def fail(self, error: str, cause: str) -> None:
        """End the step; the state machine knows by `error` whether to try again."""
        await self._tell("send_task_failure", error=error, cause=cause[:MAX_CAUSE_CHARACTERS])

    async def _tell(self, call: str, **what: str) -> None:
        token = self._settings.task_token.get_secret_value()
        await asyncio.to_thread(getattr(self._states, call), taskToken=token, **what)

    def _load(self) -> dict[str, Any]:
        try:
            found = self._files.get_object(Bucket=self._settings.bucket, Key=self.key)
        except self._files.exceptions.NoSuchKey:
            return {}
        return dict(json.loads(found["Body"].read()))
