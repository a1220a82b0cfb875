"""A short piece of a foreign text that may be shown to anybody."""

import re

MAX_CHARACTERS = 240

_SECRET = re.compile(
    r"(?i:bearer|basic)\s+[^\s,;\"']+"  # authorization headers
    r"|\b(?:sk|pk|rk|key|api|gsk|hf|xai|AIza)[-_][\w*.-]{6,}"  # the usual prefixes of keys, also half masked
    r"|\b(?=\w*\d)(?=\w*[A-Za-z])[\w-]{32,}\b"  # any long token of letters and digits
)
_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>)\]]+"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"
    r"|\b(?:localhost|[\w-]+(?:\.[\w-]+)*\.(?:local|internal|lan|svc))(?::\d+)?\b",
    re.IGNORECASE,
)
_TAGS = re.compile(r"<(script|style)\b.*?(</\1>|$)|<[^>]*(>|$)", re.IGNORECASE | re.DOTALL)
_SCANNED_CHARACTERS = 4096


def safe_excerpt(text: str | bytes, *, secrets: tuple[str, ...] = (), limit: int = MAX_CHARACTERS) -> str:
    """At most `limit` printable characters in one line, without markup, keys and addresses; may be empty."""
    if isinstance(text, bytes):
        text = text[: 4 * _SCANNED_CHARACTERS].decode("utf-8", errors="replace")
    text = text[:_SCANNED_CHARACTERS]
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[key]")
    text = _ADDRESS.sub("[address]", _SECRET.sub("[key]", _TAGS.sub(" ", text)))
    text = "".join(c if c.isprintable() and c != "\N{REPLACEMENT CHARACTER}" else " " for c in text)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
