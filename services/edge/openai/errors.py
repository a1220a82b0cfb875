"""Our problems in OpenAI's words: the shape of errors on the routes that OpenAI's clients call."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fastapi.responses import JSONResponse
from pydantic import BaseModel

from kit.refusal import Refused

ROUTES = ("/v1/chat/", "/v1/responses", "/v1/models")
"""Paths that begin so answer in OpenAI's shape, whatever goes wrong."""


class ErrorFields(BaseModel):
    """What went wrong, in OpenAI's words."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(BaseModel):
    """An error, as OpenAI's clients know it."""

    error: ErrorFields


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    "default": {"model": ErrorBody, "description": "An error in OpenAI's shape."}
}


class Words(NamedTuple):
    """What a problem is called there; without a code of theirs it keeps ours."""

    status: int
    type: str
    code: str | None = None


_INVALID, _SERVER = "invalid_request_error", "server_error"

_WORDS = {
    "unauthenticated": Words(401, _INVALID, "invalid_api_key"),
    "forbidden": Words(403, "permission_error"),
    "unknown_model": Words(404, _INVALID, "model_not_found"),
    "unknown_run": Words(404, _INVALID, "not_found"),
    "unknown_response": Words(404, _INVALID, "not_found"),
    "not_found": Words(404, _INVALID),
    "method_not_allowed": Words(405, _INVALID),
    "idempotency_conflict": Words(409, "idempotency_error"),
    "run_in_progress": Words(409, _INVALID),
    "body_too_large": Words(413, _INVALID, "request_too_large"),
    "message_too_long": Words(413, _INVALID, "string_above_max_length"),
    "system_too_long": Words(413, _INVALID, "string_above_max_length"),
    "unsupported_media_type": Words(415, _INVALID),
    "internal": Words(500, _SERVER),
    "unavailable": Words(503, _SERVER),
    "no_model": Words(503, _SERVER),
    "server_stopping": Words(503, _SERVER),
    # What an answer failed with.
    "content_filtered": Words(400, _INVALID, "content_filter"),
    "context_length_exceeded": Words(400, _INVALID),
    "provider_rejected": Words(400, _INVALID),
    "provider_rate_limited": Words(429, "rate_limit_error", "rate_limit_exceeded"),
    "provider_auth": Words(502, _SERVER),
    "provider_bad_response": Words(502, _SERVER),
    "provider_incomplete": Words(502, _SERVER),
    "too_many_attempts": Words(502, _SERVER),
    "answer_restarted": Words(502, _SERVER),
    "provider_unavailable": Words(503, _SERVER),
    "no_worker": Words(503, _SERVER),
    "first_token_timeout": Words(504, _SERVER),
    "silence_timeout": Words(504, _SERVER),
    "total_timeout": Words(504, _SERVER),
}
_OTHER = Words(400, _INVALID)
"""A problem that is not here says that the request makes no sense."""

_PARAMS = {"unknown_model": "model"}

STOPPING = ("server_stopping", "This server is stopping, and the stream ends here. Ask again.")
GONE = ("unavailable", "The run was deleted while it was told.")
"""What ends a stream that its run does not end: code and message."""

_NEVER_AGAIN = {"x-should-retry": "false"}
"""The official clients repeat 409 and 5xx by themselves, unless they are told not to."""


class Mistake(Refused):
    """A request that cannot be served, and which of its fields is to blame."""

    def __init__(self, param: str | None, message: str, code: str = "invalid_request") -> None:
        super().__init__(code, message)
        self.param = param


def speaks(path: str) -> bool:
    """Whether errors of this path are OpenAI's."""
    return path.startswith(ROUTES)


def body(code: str, message: str, param: str | None = None) -> dict[str, Any]:
    """An error as the body of an answer, or in the middle of a stream."""
    words = _WORDS.get(code, _OTHER)
    told = {"message": message, "type": words.type, "param": param or _PARAMS.get(code), "code": words.code or code}
    return {"error": told}


def response(
    code: str,
    message: str,
    *,
    param: str | None = None,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    again: bool = True,
) -> JSONResponse:
    """An error as an answer. `again`: the client's own repetition may help."""
    shown = dict(headers or {})
    status = status or status_of(code)
    if code == "idempotency_conflict" or not again:
        shown |= _NEVER_AGAIN
    elif status == _WORDS["unavailable"].status:
        shown.setdefault("retry-after", "1")
    return JSONResponse(body(code, message, param), status, headers=shown)


def status_of(code: str) -> int:
    """The HTTP status of a problem."""
    return _WORDS.get(code, _OTHER).status
