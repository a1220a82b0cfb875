"""What a provider's error says, read from any of the shapes in which compatible servers put it."""

from typing import Any

import msgspec

MAX_ERROR_BODY_BYTES = 16 * 1024
"""How much of an error's body is read; honest ones have some hundred bytes."""

CONTEXT_CODES = frozenset(
    {
        "context_length_exceeded",
        "string_above_max_length",
        "exceed_context_size_error",
        "model_max_prompt_tokens_exceeded",
    }
)
CONTEXT_WORDS = (
    "context length",
    "context_length",
    "context window",
    "context size",
    "maximum prompt length",
    "prompt is too long",
    "too many tokens",
    "input is too long",
    "exceeds the maximum number of tokens",
)
"""How servers without a code for it say that the prompt is too long (vLLM, llama.cpp, LM Studio, Bedrock, Gemini)."""

FILTER_CODES = frozenset({"content_filter", "content_policy_violation", "responsibleaipolicyviolation"})
QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "billing_error"})
"""429 that no waiting cures."""

RATE_CODES = frozenset({"rate_limit_exceeded", "rate_limit_error", "rate_limit", "too_many_requests"})
AUTH_CODES = frozenset({"invalid_api_key", "authentication_error", "permission_error", "account_deactivated"})


class ErrorFields(msgspec.Struct, frozen=True):
    """The parts of an error object; what is absent or of another type is empty."""

    message: str = ""
    code: str = ""
    type: str = ""
    param: str = ""
    status: int | None = None


def is_context(fields: ErrorFields) -> bool:
    """Whether the prompt was too long."""
    if {fields.code.lower(), fields.type.lower()} & CONTEXT_CODES:
        return True
    message = fields.message.lower()
    return any(words in message for words in CONTEXT_WORDS)


def fields_of_body(body: bytes) -> ErrorFields:
    """The error in a response body: `{"error": …}`, or the object itself; empty fields for anything else."""
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return ErrorFields()
    inner = value.get("error") if isinstance(value, dict) else None
    return fields_of(value if inner is None else inner)


def fields_of(error: Any) -> ErrorFields:
    """The error in a decoded error object or text."""
    if isinstance(error, str):
        return ErrorFields(message=error)
    if not isinstance(error, dict):
        return ErrorFields()
    code, status = error.get("code"), error.get("status")
    number = next((n for n in (code, status) if isinstance(n, int) and 100 <= n < 600), None)
    message = error.get("message") or error.get("detail") or ""
    return ErrorFields(
        message=message if isinstance(message, str) else str(message),
        code=code if isinstance(code, str) else "",
        type=t if isinstance(t := error.get("type"), str) else "",
        param=p if isinstance(p := error.get("param"), str) else "",
        status=int(code) if isinstance(code, str) and code.isdigit() and len(code) == 3 else number,
    )
