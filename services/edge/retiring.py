"""Whether this edge is being taken away, where it is told last of all: on Amazon ECS.

ECS takes a task out of its balancer, waits until its connections have ended or for as long as the balancer is told to,
and only then sends SIGTERM. Who wants to send clients elsewhere while the others finish has to ask.
"""

import asyncio
import logging
import os
from collections.abc import Mapping
from typing import Any

import httpx

log = logging.getLogger(__name__)

METADATA = "ECS_CONTAINER_METADATA_URI_V4"
"""ECS's own variable: where a container asks who it is."""
ANSWER_SECONDS = 5.0


class EcsTask:
    """Our task, as ECS knows it."""

    def __init__(self, cluster: str, arn: str) -> None:
        from botocore.config import Config
        from botocore.session import Session

        limits = Config(connect_timeout=ANSWER_SECONDS, read_timeout=ANSWER_SECONDS, retries={"total_max_attempts": 1})
        self._cluster, self._arn = cluster, arn
        self._ecs: Any = Session().create_client("ecs", region_name=arn.split(":")[3], config=limits)

    async def retires(self) -> bool:
        """Whether ECS wants it to stop: said as soon as it leaves the balancer. Raises what botocore raises."""
        told = await asyncio.to_thread(self._ecs.describe_tasks, cluster=self._cluster, tasks=[self._arn])
        return any(task["desiredStatus"] == "STOPPED" for task in told["tasks"])


async def find_task(environment: Mapping[str, str]) -> EcsTask | None:
    """The task that this process is in; None anywhere else. Raises httpx.HTTPError, KeyError."""
    url = environment.get(METADATA)
    if not url:
        return None
    async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_SECONDS) as http:
        told = (await http.get(f"{url}/task")).raise_for_status().json()
    return await asyncio.to_thread(EcsTask, told["Cluster"], told["TaskARN"])


async def until_retired(seconds: float) -> None:
    """Return when this edge is being taken away; `seconds` is how often to ask. Anywhere but on ECS: never."""
    task: EcsTask | None = None
    said = False
    while True:
        try:
            task = task or await find_task(os.environ)
            if task is None:
                await asyncio.Event().wait()
            elif await task.retires():
                return
            said = False
        except Exception as error:  # botocore's are many; without an answer SIGTERM comes all the same
            if not said:
                log.warning("ECS does not say whether this edge is to go: %r", error)
            said = True
        await asyncio.sleep(seconds)
