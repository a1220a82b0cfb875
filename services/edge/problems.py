"""Errors as RFC 9457 problem documents."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from kit.bus.rpc import Unavailable
from kit.refusal import Refused
from kit.runlog.reads import LogUnavailableError
from services.edge.openai import errors as openai_errors

MEDIA_TYPE = "application/problem+json"

STATUS = {
    "invalid_cursor": 400,
    "malformed_json": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_yours": 403,
    "unknown_conversation": 404,
    "unknown_run": 404,
    "unknown_message": 404,
    "unknown_attachment": 404,
    "unknown_lane": 404,
    "unknown_assistant": 404,
    "unknown_version": 404,
    "unknown_step": 404,
    "unknown_file": 404,
    "unknown_notification": 404,
    "unknown_webhook": 404,
    "unknown_token": 404,
    "not_found": 404,
    "run_in_progress": 409,
    "idempotency_conflict": 409,
    "client_id_conflict": 409,
    "too_many_waiting": 409,
    "already_voted": 409,
    "not_voted": 409,
    "lane_not_finished": 409,
    "version_conflict": 409,
    "not_waiting_for_approval": 409,
    "already_decided": 409,
    "no_output": 409,
    "deleted_elsewhere": 409,
    "too_many_webhooks": 409,
    "body_too_large": 413,
    "message_too_long": 413,
    "parameters_too_long": 413,
    "context_too_long": 413,
    "image_too_large": 413,
    "file_too_large": 413,
    "unsupported_media_type": 415,
    "internal": 500,
    "unavailable": 503,
    "no_model": 503,
}
"""HTTP status by problem code; a code that is not here says that the request makes no sense: 422."""


class ProblemDocument(BaseModel):
    """An error. `code` is for programs and does not change, `detail` is for people."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    errors: list[dict[str, Any]] | None = None


TITLES = {
    400: "Bad request",
    401: "Unauthenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid request",
    500: "Internal error",
    503: "Unavailable",
}

MISTAKES_SHOWN = 20
FIELD_CHARACTERS = 100
"""A problem is bounded, however wrong the request."""

_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
"""By HTTP status, for errors that the framework raises."""

DOCUMENTED: dict[int | str, dict[str, Any]] = {
    "default": {"model": ProblemDocument, "description": "A problem document (RFC 9457)."}
}


def problem(
    code: str,
    detail: str,
    *,
    status: int | None = None,
    errors: list[dict[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A response with a problem document."""
    status = status or STATUS.get(code, 422)
    title = TITLES.get(status, "Error")
    document = ProblemDocument(title=title, status=status, code=code, detail=detail, errors=errors)
    shown = {"retry-after": "1", **(headers or {})} if status == 503 else headers
    return JSONResponse(document.model_dump(exclude_none=True), status, headers=shown, media_type=MEDIA_TYPE)


def refusal(
    path: str,
    code: str,
    detail: str,
    *,
    param: str | None = None,
    status: int | None = None,
    errors: list[dict[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A response with an error as the path's protocol has it: OpenAI's where their clients call, else a document."""
    if openai_errors.speaks(path):
        return openai_errors.response(code, detail, param=param, status=status, headers=headers)
    return problem(code, detail, status=status, errors=errors, headers=headers)


def install(app: FastAPI) -> None:
    """Make every error of the application one of its protocol."""

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> JSONResponse:
        param = error.param if isinstance(error, openai_errors.Mistake) else None
        return refusal(request.url.path, error.problem.code, error.problem.message, param=param)

    @app.exception_handler(Unavailable)
    async def unavailable(request: Request, error: Unavailable) -> JSONResponse:
        return refusal(request.url.path, "unavailable", f"Not available at the moment: {error}. Try again.")

    @app.exception_handler(LogUnavailableError)
    async def log_unavailable(request: Request, __: LogUnavailableError) -> JSONResponse:
        return refusal(request.url.path, "unavailable", "The run log does not answer at the moment. Try again.")

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        mistakes = error.errors()[:MISTAKES_SHOWN]
        if any(mistake["type"] == "json_invalid" for mistake in mistakes):
            return refusal(request.url.path, "malformed_json", "The body is not valid JSON.")
        shown = [{"field": _field(m["loc"]), "message": m["msg"]} for m in mistakes]
        detail = "; ".join(f"{m['field'] or 'body'}: {m['message']}" for m in shown)
        param = str(shown[0]["field"]) or None if shown else None
        return refusal(request.url.path, "invalid_request", detail, param=param, errors=shown)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "http_error")
        return refusal(request.url.path, code, str(error.detail), status=error.status_code, headers=error.headers)

    @app.exception_handler(Exception)
    async def defect(request: Request, __: Exception) -> JSONResponse:
        detail = "Something went wrong on our side. Try again; if it stays, look at the log."
        return refusal(request.url.path, "internal", detail)


def _field(place: Sequence[int | str]) -> str:
    """Where a mistake is. Names may come from the client, and then they may be no text at all."""
    name = ".".join(map(str, place[1:]))[:FIELD_CHARACTERS]
    return name.encode("utf-8", "replace").decode()
