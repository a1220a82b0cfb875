import json
import ssl
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from services.inference.providers.connection import error_from_exception
from services.inference.providers.errors import error_from_response, error_of_page
from services.inference.providers.excerpt import MAX_CHARACTERS, safe_excerpt
from services.inference.providers.retry_after import MAX_SECONDS, retry_after_seconds


def openai_error(**fields: Any) -> bytes:
    return json.dumps({"error": {"message": "a reason", **fields}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "code", "retryable"),
    [
        (400, openai_error(), "provider_rejected", False),
        (400, openai_error(code="context_length_exceeded"), "context_length_exceeded", False),
        (400, openai_error(type="exceed_context_size_error"), "context_length_exceeded", False),
        (
            400,
            b'{"object":"error","message":"maximum context length is 4096 tokens"}',
            "context_length_exceeded",
            False,
        ),
        (400, openai_error(code="content_filter"), "content_filtered", False),
        (401, openai_error(), "provider_auth", False),
        (403, b"", "provider_auth", False),
        (404, openai_error(code="model_not_found"), "provider_rejected", False),
        (408, b"", "provider_unavailable", True),
        (409, b"", "provider_unavailable", True),
        (422, b'{"detail":[{"loc":["body"]}]}', "provider_rejected", False),
        (429, openai_error(), "provider_rate_limited", True),
        (429, openai_error(code="insufficient_quota"), "provider_rate_limited", False),
        (500, b"\xff\xfe" * 9000, "provider_unavailable", True),
        (503, b"<html>" * 2000, "provider_unavailable", True),
        (529, b"[" * 50_000, "provider_unavailable", True),
        (301, b"", "provider_bad_response", False),
    ],
)
def test_statuses(status: int, body: bytes, code: str, retryable: bool) -> None:
    error = error_from_response(status, {}, body)
    assert (error.code, error.retryable, error.status) == (code, retryable, status)
    assert len(error.message) < MAX_CHARACTERS + 200


def test_the_auth_error_quotes_nothing() -> None:
    error = error_from_response(401, {}, openai_error(message="Incorrect API key provided: sk-ab***wxyz"))
    assert "sk-ab" not in error.message


def test_a_rate_limit_carries_the_wish_to_wait() -> None:
    assert error_from_response(429, {"Retry-After": "7"}, b"").retry_after == 7


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "1e300"}, MAX_SECONDS),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "30", "retry-after-ms": "250"}, 0.25),
        ({"Retry-After": "Mon, 23 Nov 2026 12:00:30 GMT"}, 30),
        ({"Retry-After": "Mon, 23 Nov 2026 12:00:30 -0000"}, 30),
        ({"Retry-After": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0),
        ({"Retry-After": "Mon, 99 Nov 2026 12:00:30 GMT"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers, datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (ConnectionRefusedError(111, "Connect call failed ('10.1.2.3', 8000)"), "refuses"),
        (TimeoutError(), "in time"),
        (ConnectionResetError(), "lost"),
        (aiohttp.ServerDisconnectedError(), "lost"),
        (ssl.SSLCertVerificationError("hostname internal.example mismatch"), "certificate"),
    ],
)
def test_connection_errors_are_retryable_and_name_no_address(error: Exception, word: str) -> None:
    mapped = error_from_exception(error)
    assert (mapped.code, mapped.retryable) == ("provider_unavailable", True)
    assert word in mapped.message
    assert "10.1.2.3" not in mapped.message
    assert "internal" not in mapped.message


def test_a_page_instead_of_a_stream() -> None:
    error = error_of_page(b"<html><head><script>var k='x'</script><title>Sign in</title></head><body>Welcome</body>")
    assert error.code == "provider_bad_response"
    assert "Sign in Welcome" in error.message
    assert "<" not in error.message


def test_an_error_with_status_200_is_that_error() -> None:
    assert error_of_page(openai_error(code="rate_limit_exceeded")).code == "provider_rate_limited"


@pytest.mark.parametrize(
    "secret",
    [
        "Bearer abc.def",
        "sk-proj-Abc123Def456Ghi789",
        "sk-ab******wxyz",
        "AIza-SyA1234567890",
        "a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4",
        "http://10.0.0.7:8000/v1/chat",
        "10.0.0.7:8000",
        "localhost:11434",
        "models.default.svc:80",
        "THE-KEY",
    ],
)
def test_excerpts_hold_no_secrets_and_no_addresses(secret: str) -> None:
    excerpt = safe_excerpt(f"it failed at {secret} because of rain", secrets=("THE-KEY",))
    assert secret not in excerpt
    assert excerpt.startswith("it failed at")
    assert excerpt.endswith("because of rain")


def test_excerpts_are_short_printable_and_in_one_line() -> None:
    excerpt = safe_excerpt(b"\xff\x00\x1b[31m one\r\n\ttwo \xe2\x80\xae" + b"word " * 10_000)
    assert len(excerpt) <= MAX_CHARACTERS
    assert excerpt.isprintable()
    assert "one two" in excerpt
    assert safe_excerpt(b"\x00\xff") == ""
