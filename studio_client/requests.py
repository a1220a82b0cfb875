"""HTTP as this library needs it: who we are, what a refusal means, and asking again while the server is away."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx

from studio_client.errors import ApiError, UnreachableError, api_error
from studio_client.patience import Backoff, Patience

AGAIN = frozenset({429, 502, 503, 504})
"""These say "not now"."""

NOT_FOR_NOW = frozenset({"no_model"})
"""Codes that do not pass by themselves, whatever their status."""

EVENT_STREAM = "text/event-stream"


class Requests:
    """One server and one identity."""

    def __init__(self, url: str, token: str | None, patience: Patience, http: httpx.AsyncClient | None) -> None:
        """`http` is a client of the caller's own, for proxies and certificates; it is not closed here."""
        self.url = url.rstrip("/")
        self.reached = False
        """Whether this server has ever answered."""
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._patience = patience
        self._own = http is None
        self._timeout = httpx.Timeout(patience.silence, connect=patience.connect)
        self._http = http or httpx.AsyncClient(limits=httpx.Limits(max_connections=None, max_keepalive_connections=20))

    def stream(
        self, method: str, path: str, *, json: Any = None, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """A response whose body comes in pieces."""
        sent = {**self._headers, "Accept": EVENT_STREAM, "Accept-Encoding": "identity", **headers}
        return self._http.stream(method, f"{self.url}{path}", json=json, headers=sent, timeout=self._timeout)

    async def json(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> dict[str, Any]:
        """The body of an answer; empty if it has none. Raises ApiError, UnreachableError.

        `again`: what is asked may be asked twice, so a lost connection or a "not now" is tried again.
        """
        backoff = Backoff(self._patience)
        given = {name: value for name, value in (params or {}).items() if value is not None}
        while True:
            wait = 0.0
            error: Exception
            try:
                response = await self._http.request(
                    method,
                    f"{self.url}{path}",
                    json=json,
                    params=given,
                    headers={**self._headers, **(headers or {})},
                    timeout=self._timeout,
                )
            except httpx.HTTPError as failure:
                error = UnreachableError(self.url, in_words(failure))
            else:
                self.reached = True
                if response.is_success:
                    return _object(response)
                error, told = refused_for_now(response)
                if told is None:
                    raise error
                wait = told
            pause = backoff.next_pause(time.monotonic(), wait, reached=self.reached) if again else None
            if pause is None:
                raise error
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """Close our connections."""
        if self._own:
            await self._http.aclose()


def refused_for_now(response: httpx.Response) -> tuple[ApiError, float | None]:
    """The error in a response, and how many seconds to wait before asking again; None: that would be in vain."""
    error = api_error(response.status_code, response.content)
    if error.status not in AGAIN or error.code in NOT_FOR_NOW:
        return error, None
    told = response.headers.get("retry-after", "")
    return error, float(told) if told.isascii() and told.isdigit() else 0.0


def in_words(error: httpx.HTTPError) -> str:
    """What happened to a connection."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return "nobody answers"
    return "silence" if isinstance(error, httpx.TimeoutException) else "the connection broke"


def _object(response: httpx.Response) -> dict[str, Any]:
    if not response.content:
        return {}
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ApiError(response.status_code, "", "", "the answer is not a JSON object; is this the right address?")
    return answer
