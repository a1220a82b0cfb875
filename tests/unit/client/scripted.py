"""A server for the client library that plays a script: one answer per request."""

from collections.abc import AsyncIterator
from typing import Any

import httpx

from studio_client import Patience, Studio

QUICK = Patience(first=0, lost=5, pause=0.001, longest_pause=0.01)


def frame(number: int, kind: str, lane: str = "main", /, **fields: Any) -> bytes:
    """An event as the edge sends it."""
    data = httpx.Response(200, json={"type": kind, "lane": lane, **fields}).text
    return f"id: e-{number}\nevent: {kind}\ndata: {data}\n\n".encode()


CREATED = b"retry: 1\n" + frame(1, "run.created", "run", run_id="chat_1", kind="chat")
HEL, LO = frame(2, "generation.delta", text="Hel"), frame(3, "generation.delta", text="lo")
WHOLE = frame(4, "generation.completed", text="Hello", finish_reason="stop")
END = frame(5, "run.completed", "run", run_id="chat_1")


class Server:
    """`answers` are used up in order; an exception is raised in the client's place."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.seen: list[httpx.Request] = []
        self._answers = list(answers)

    def studio(self, patience: Patience = QUICK) -> Studio:
        """A client of this server."""
        return Studio("http://studio", patience=patience, http=httpx.AsyncClient(transport=httpx.MockTransport(self)))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.seen.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def asked(self) -> list[str]:
        """What was asked, with the cursor."""
        return [f"{r.method} {r.url.path} {r.headers.get('last-event-id', '')}".strip() for r in self.seen]


def stream(*pieces: bytes, fault: Exception | None = None, location: str = "/v1/runs/chat_1") -> httpx.Response:
    """A stream that ends after these pieces, or breaks."""

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece
        if fault is not None:
            raise fault

    return httpx.Response(200, content=body(), headers={"location": location} if location else {})


def problem(status: int, code: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """A refusal."""
    return httpx.Response(status, json={"title": "No", "detail": "not now", "code": code}, headers=headers)
