"""An edge on ECS learns that it is being replaced from ECS itself, as a third party's AWS plays it."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from services.edge import retiring
from services.edge.retiring import METADATA, until_retired

REGION = "eu-central-1"
OFTEN_SECONDS = 0.01


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):  # the task's own name says where it is
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield boto3.client("ecs", region_name=REGION)


@pytest.fixture
def task(ecs: Any) -> dict[str, str]:
    """A running edge, as ECS lists it."""
    ecs.create_cluster(clusterName="studio")
    container = {"name": "edge", "image": "ai-studio", "memory": 512}
    ecs.register_task_definition(family="edge", containerDefinitions=[container])
    (made,) = ecs.run_task(cluster="studio", taskDefinition="edge", launchType="FARGATE")["tasks"]
    return {"Cluster": made["clusterArn"], "TaskARN": made["taskArn"]}


@contextlib.asynccontextmanager
async def metadata(told: dict[str, str]) -> AsyncIterator[str]:
    """What ECS answers a container that asks who it is."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        status = b"200 OK" if asked == b"/v4/me/task" else b"404 Not Found"
        body = json.dumps(told).encode()
        writer.write(b"HTTP/1.1 %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (status, len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v4/me"


async def test_it_waits_while_it_is_wanted_and_ends_when_it_is_not(
    ecs: Any, task: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()
    retires = retiring.EcsTask.retires

    async def noted(self: retiring.EcsTask) -> bool:
        answer = await retires(self)
        asked.set()
        return answer

    monkeypatch.setattr(retiring.EcsTask, "retires", noted)
    async with metadata(task) as url, asyncio.timeout(30):
        monkeypatch.setenv(METADATA, url)
        waiting = asyncio.create_task(until_retired(OFTEN_SECONDS))
        await asked.wait()
        asked.clear()
        await asked.wait()
        assert not waiting.done()
        ecs.stop_task(cluster=task["Cluster"], task=task["TaskARN"])
        await waiting


async def test_when_ecs_does_not_answer_it_is_said_once_and_asked_again(
    ecs: Any, task: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    times, retires = 0, retiring.EcsTask.retires

    async def at_first_not(self: retiring.EcsTask) -> bool:
        nonlocal times
        times += 1
        if times <= 3:
            raise OSError("away")
        return await retires(self)

    monkeypatch.setattr(retiring.EcsTask, "retires", at_first_not)
    ecs.stop_task(cluster=task["Cluster"], task=task["TaskARN"])
    with caplog.at_level(logging.WARNING):
        async with metadata(task) as url, asyncio.timeout(30):
            monkeypatch.setenv(METADATA, url)
            await until_retired(OFTEN_SECONDS)
    assert times == 4
    assert len([record for record in caplog.records if "ECS does not say" in record.message]) == 1


async def test_anywhere_else_there_is_nobody_to_ask() -> None:
    assert await retiring.find_task({}) is None
