"""What every request passes before the application: origin, size, type, identity."""

import re
from typing import Any

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.edge.identity import DeniedError, Identity
from services.edge.openai import errors
from services.edge.problems import refusal
from services.edge.sessions import Sessions
from services.edge.turns import Turns

PRIVATE = ("/v1/", "/api/")
"""Paths below these need a principal."""

PUBLIC = re.compile(r"/unsubscribe/[^/]+")
"""What mail providers and mail programs ask for: from anywhere, by GET or by a form (RFC 8058), signed in as nobody.

The token in the path is all that it takes, so nothing of a browser's is looked at and nothing given to it.
"""

RAW_SEND = "studio.raw_send"
"""In the scope: the server's own send, without the frameworks' wrappers. A stream's chunks go there."""

TOO_LARGE = 413

FILES = "/v1/files"
"""Where a body of any type is taken: it is a file, or a form with one."""

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class _TooLargeError(HTTPException):
    """FastAPI lets its own kind of error through while it reads a body; any other would be "malformed JSON"."""

    def __init__(self, limit: int) -> None:
        super().__init__(TOO_LARGE, f"The body is larger than {limit} bytes.", {"connection": "close"})


class Guard:
    """ASGI middleware; puts the caller into `scope["state"]["principal"]`."""

    def __init__(self, app: ASGIApp, identity: Identity, sessions: Sessions, max_body_bytes: int) -> None:
        self._app, self._identity, self._sessions, self._max = app, identity, sessions, max_body_bytes
        self._turns = Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._turns.wait()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        public = PUBLIC.fullmatch(scope["path"]) is not None
        try:
            self._identity.check_host(headers)
            if not public:
                self._identity.check_origin(headers)
            if scope["path"].startswith(PRIVATE):
                foreign_keys = errors.speaks(scope["path"])
                principal = self._identity.principal(headers, foreign_keys=foreign_keys)
                scope.setdefault("state", {})["principal"] = principal
                if not self._sessions.knows(principal):
                    await self._sessions.begin(principal)
        except DeniedError as denied:
            challenge = {"www-authenticate": "Bearer"} if denied.code == "unauthenticated" else None
            await refusal(scope["path"], denied.code, str(denied), headers=challenge)(scope, receive, send)
            return
        refused = self._refuse_body(scope, headers, any_type=public or scope["path"] == FILES)
        if refused is not None:
            await refused(scope, receive, send)
            return
        scope[RAW_SEND] = send
        cookie = None if public else self._identity.cookie_to_set(headers)
        try:
            await self._app(scope, self._counted(receive), _with_cookie(send, cookie) if cookie else send)
        except _TooLargeError:
            await self._too_large(scope)(scope, receive, send)

    def _refuse_body(self, scope: Scope, headers: dict[str, str], *, any_type: bool) -> Any:
        if scope["method"] not in _WITH_BODY:
            return None
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._max:
            return self._too_large(scope)
        has_body = (length.isdecimal() and int(length) > 0) or "transfer-encoding" in headers
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if has_body and kind != "application/json" and not any_type:
            detail = f"Send JSON as 'Content-Type: application/json', not {kind!r}."
            return refusal(scope["path"], "unsupported_media_type", detail)
        return None

    def _too_large(self, scope: Scope) -> Any:
        detail = f"The body is larger than {self._max} bytes."
        return refusal(scope["path"], "body_too_large", detail, headers={"connection": "close"})

    def _counted(self, receive: Receive) -> Receive:
        """A receive that stops reading when the body turns out longer than it said."""
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._max:
                raise _TooLargeError(self._max)
            return message

        return counted


def _with_cookie(send: Send, cookie: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), (b"set-cookie", cookie.encode())]
        await send(message)

    return sending
