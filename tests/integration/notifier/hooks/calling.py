"""Calling a webhook in a test."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from aiohttp.abc import AbstractResolver

from kit.notifier_settings import NotifierSettings
from services.notifier.hooks.caller import HookCaller
from services.notifier.hooks.signing import new_secret
from services.notifier.models import WebhookRow

BODY = '{"type":"run.completed","timestamp":"2026-11-27T12:00:00Z","data":{"title":"Flüsse"}}'.encode()


def settings(**changed: Any) -> NotifierSettings:
    """Of a notifier that may call this machine, unless it is changed."""
    return NotifierSettings().model_copy(update={"hooks_allow_private": True, **changed})


@contextlib.asynccontextmanager
async def running(resolver: AbstractResolver | None = None, **changed: Any) -> AsyncIterator[HookCaller]:
    """A caller with these settings."""
    caller = HookCaller(settings(**changed), resolver=resolver)
    await caller.start()
    try:
        yield caller
    finally:
        await caller.stop()


def hook(url: str, **more: Any) -> WebhookRow:
    """A webhook of somebody."""
    row = {"id": "hook_1", "tenant": "t", "user": "u", "url": url, "secret": new_secret()}
    return WebhookRow(**{**row, "created_at": datetime.now(UTC), **more})


async def call(caller: HookCaller, to: WebhookRow, *, event_id: str = "msg_1", now: datetime | None = None) -> int:
    """Call it now."""
    now = now or datetime.now(UTC)
    return await caller.call(to, event_id=event_id, at=now, body=BODY, now=now)
