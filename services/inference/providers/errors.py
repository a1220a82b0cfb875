"""What a provider's failures mean, and what of them may be shown.

The worker acts on `code` and `retryable`; the user reads the message. Providers quote keys, hosts and whole pages in
their messages, so everything that is passed on goes through `safe_excerpt`.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from services.inference.providers.base import ErrorCode, ProviderError
from services.inference.providers.error_fields import (
    AUTH_CODES,
    FILTER_CODES,
    QUOTA_CODES,
    RATE_CODES,
    ErrorFields,
    fields_of,
    fields_of_body,
    is_context,
)
from services.inference.providers.excerpt import safe_excerpt
from services.inference.providers.retry_after import retry_after_seconds

MAX_PAGE_CHARACTERS = 120
"""How much of a page that came instead of a stream is quoted."""

PASSING_STATUS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY})
"""4xx that the official clients repeat: lock conflicts and timeouts on the way."""


def error_from_response(
    status: int, headers: Mapping[str, str], body: bytes, *, secrets: tuple[str, ...] = ()
) -> ProviderError:
    """The error of an answer that is not 200. `body` may be cut off, garbage or empty."""
    fields = fields_of_body(body)
    said = safe_excerpt(fields.message or body, secrets=secrets)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return _auth(status)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _rate_limited(fields, retry_after_seconds(headers), said)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in PASSING_STATUS:
        return ProviderError(
            "provider_unavailable",
            _join(f"The model server failed (HTTP {status}). Try again", said),
            retryable=True,
            retry_after=retry_after_seconds(headers),
            status=status,
        )
    if status < HTTPStatus.BAD_REQUEST:
        return ProviderError(
            "provider_bad_response",
            f"The model server answered HTTP {status} instead of a stream. Check the provider's base_url.",
            retryable=False,
            status=status,
        )
    return _refused(fields, said, status)


def error_from_stream(error: Any, *, secrets: tuple[str, ...] = ()) -> ProviderError:
    """The error of an error object in the middle of a stream; unless it says otherwise, a later try may succeed."""
    fields = fields_of(error)
    said = safe_excerpt(fields.message, secrets=secrets)
    codes = {fields.code.lower(), fields.type.lower()}
    if fields.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or codes & AUTH_CODES:
        return _auth(fields.status)
    if fields.status == HTTPStatus.TOO_MANY_REQUESTS or codes & (RATE_CODES | QUOTA_CODES):
        return _rate_limited(fields, None, said)
    refused = fields.status is not None and HTTPStatus.BAD_REQUEST <= fields.status < HTTPStatus.INTERNAL_SERVER_ERROR
    if refused or codes & FILTER_CODES or is_context(fields) or "invalid_request_error" in codes:
        return _refused(fields, said, fields.status)
    return ProviderError(
        "provider_unavailable",
        _join("The model server failed in the middle of the answer", said),
        retryable=True,
        status=fields.status,
    )


def error_of_page(body: bytes, *, secrets: tuple[str, ...] = ()) -> ProviderError:
    """The error of an answer with status 200 that is no event stream, but a page or a JSON document."""
    fields = fields_of_body(body)
    if fields.message or fields.code:
        return error_from_stream({"message": fields.message, "code": fields.code, "type": fields.type}, secrets=secrets)
    said = safe_excerpt(body, secrets=secrets, limit=MAX_PAGE_CHARACTERS)
    return ProviderError(
        "provider_bad_response",
        _join("The model server did not answer with a stream. Check the provider's base_url", said),
        retryable=False,
        status=int(HTTPStatus.OK),
    )


def _auth(status: int | None) -> ProviderError:
    # What the provider said is not quoted: OpenAI repeats a part of the key.
    message = "The model provider did not accept our API key. The operator has to check the key of this provider."
    return ProviderError("provider_auth", message, retryable=False, status=status)


def _rate_limited(fields: ErrorFields, retry_after: float | None, said: str) -> ProviderError:
    spent = bool({fields.code.lower(), fields.type.lower()} & QUOTA_CODES)
    message = (
        "The quota at the model provider is used up. The operator has to check its plan and billing"
        if spent
        else "The model provider limits the rate of requests. Try again later"
    )
    return ProviderError(
        "provider_rate_limited",
        _join(message, said),
        retryable=not spent,
        retry_after=None if spent else retry_after,
        status=int(HTTPStatus.TOO_MANY_REQUESTS),
    )


def _refused(fields: ErrorFields, said: str, status: int | None) -> ProviderError:
    code: ErrorCode = "provider_rejected"
    message = "The model provider refused the request"
    if is_context(fields):
        code, message = (
            "context_length_exceeded",
            "The conversation is too long for this model. Shorten it or choose another",
        )
    elif {fields.code.lower(), fields.type.lower()} & FILTER_CODES:
        code, message = "content_filtered", "The model provider's content filter refused the request"
    elif status == HTTPStatus.NOT_FOUND:
        message = "The model provider does not know this model or address"
    return ProviderError(code, _join(message, said), retryable=False, status=status)


def _join(message: str, said: str) -> str:
    return f"{message}. It said: {said}" if said else f"{message}."
