"""Calling a webhook once: one signed POST, to a public address, whose answer is a status and nothing else."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Mapping
from datetime import datetime

import aiohttp
from aiohttp.abc import AbstractResolver

from kit.notifier_settings import NotifierSettings
from kit.refusal import Refused
from services.notifier.failures import LaterError, NeverError
from services.notifier.hooks.guard import Guard
from services.notifier.hooks.resolver import Resolver
from services.notifier.hooks.signing import signed_headers
from services.notifier.hooks.url import checked
from services.notifier.hooks.verdict import judge, reason
from services.notifier.models import WebhookRow

log = logging.getLogger(__name__)

ANSWER_BYTES = 4 * 1024
ANSWER_SECONDS = 1.0
"""As much of an answer is read, so that a receiver that writes a few words is not cut off. Nobody looks at them."""
HEADERS = {
    "Content-Type": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "ai-studio",
}


class HookCaller:
    """Calls webhooks. Nothing outlives a call: no connection, no cookie, no look-up of a name."""

    def __init__(self, settings: NotifierSettings, *, resolver: AbstractResolver | None = None) -> None:
        self._settings = settings
        self._resolver = resolver
        self._tls: ssl.SSLContext | None = None

    async def start(self) -> None:
        """Read the certificates that are trusted, once: it takes longer than a call."""
        self._tls = await asyncio.to_thread(ssl.create_default_context)
        self._resolver = self._resolver or Resolver(self._settings.senders)

    async def stop(self) -> None:
        """Look up no more names."""
        if self._resolver is not None:
            await self._resolver.close()

    async def call(self, hook: WebhookRow, *, event_id: str, at: datetime, body: bytes, now: datetime) -> int:
        """Call a webhook with an event of the moment `at`, and return the status of its success.

        `event_id` is the same in every attempt, `now` is this attempt's. Raises LaterError for what a receiver may
        mend, NeverError if it says that it is gone, or if it is none that may be called.
        """
        guard = Guard(allow_private=self._settings.hooks_allow_private)
        try:
            url = checked(hook.url, allow_private=self._settings.hooks_allow_private)
        except Refused as refused:  # it was allowed when it was saved
            raise NeverError("webhook_forbidden", refused.problem.message) from refused
        headers = {**HEADERS, **signed_headers(hook, event_id, body, now)}
        try:
            async with asyncio.timeout(self._settings.send_seconds):
                status, answered = await self._post(guard, url, headers, body)
        except TimeoutError as error:
            limit = self._settings.send_seconds
            raise LaterError("webhook_away", f"The webhook did not answer within {limit:g} seconds.") from error
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:  # RuntimeError: uvloop, connecting
            if guard.forbade:
                raise NeverError("webhook_forbidden", "The webhook's name leads to no public address.") from error
            raise LaterError("webhook_away", f"The webhook could not be called: {reason(error)}.") from error
        log.debug("webhook %s was called for %s of %s: %s", hook.id, event_id, at, status)
        judge(status, answered, now, max(self._settings.hook_retry_seconds, default=0.0))
        return status

    async def _post(
        self, guard: Guard, url: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str]]:
        assert self._tls is not None  # noqa: S101  (start comes first)
        connector = aiohttp.TCPConnector(
            ssl=self._tls,
            resolver=self._resolver,
            use_dns_cache=False,
            socket_factory=guard.socket,
            force_close=True,
        )
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,
                trust_env=False,
            ) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await response.content.read(ANSWER_BYTES)
            return response.status, response.headers
