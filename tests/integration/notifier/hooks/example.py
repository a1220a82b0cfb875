"""The receivers of examples/webhooks, run as somebody runs them, and called."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from services.notifier.failures import LaterError
from services.notifier.models import WebhookRow
from tests.integration.notifier.hooks.calling import BODY, call, hook, running

FOLDER = Path(__file__).parents[4] / "examples" / "webhooks"
START_SECONDS = 30.0


@dataclass
class Example:
    """A receiver that listens at `url`, and what it prints."""

    url: str
    printed: asyncio.StreamReader

    async def line(self) -> str:
        """Its next line."""
        return (await asyncio.wait_for(self.printed.readline(), START_SECONDS)).decode().strip()


@contextlib.asynccontextmanager
async def listening(secret: str, *command: str | Path) -> AsyncIterator[Example]:
    """The example as a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env={**os.environ, "WEBHOOK_SECRET": secret}
    )
    assert process.stdout is not None
    try:
        example = Example("", process.stdout)
        example.url = (await example.line()).removeprefix("listening on ")
        yield example
    finally:
        process.kill()
        await process.wait()


async def check(of: WebhookRow, example: Example) -> None:
    """What docs/webhooks.md says of it: it believes what is signed, does it once, and nothing else does anything."""
    async with running() as caller:
        to = hook(example.url, secret=of.secret)
        assert [await call(caller, to, event_id=event) for event in ("msg_1", "msg_1", "msg_2")] == [204] * 3
        with pytest.raises(LaterError) as caught:
            await call(caller, hook(example.url), event_id="msg_3")  # somebody else's secret
        assert "401" in str(caught.value)
        rotated = hook(example.url, earlier_secret=of.secret, earlier_until=of.earlier_until)
        assert await call(caller, rotated, event_id="msg_4") == 204
    nonsense = {"webhook-id": "msg_5", "webhook-timestamp": "1", "webhook-signature": "nonsense"}
    async with aiohttp.ClientSession() as session:
        for headers in ({}, nonsense):
            async with session.post(example.url, data=BODY, headers=headers) as answer:
                assert answer.status == 401
    assert [await example.line() for _ in range(3)] == ["run.completed  Flüsse"] * 3
