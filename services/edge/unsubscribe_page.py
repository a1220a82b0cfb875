"""The pages behind the link in every mail: words, one button, no script, and nothing from anywhere else."""

from html import escape
from typing import Any

from fastapi import Response
from fastapi.responses import HTMLResponse

RETRY_SECONDS = 60

# The hyphens in the words below are ones at which no line breaks.

DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {"description": "A page.", "content": {"text/html": {}}},
    404: {"description": "A page: the link is not known.", "content": {"text/html": {}}},
    503: {"description": "A page: not at the moment.", "content": {"text/html": {}}},
}

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",  # the address is a secret between us and the mailbox
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}

_STYLE = """
:root { color-scheme: light dark; --page: #f4f4f5; --card: #ffffff; --ink: #18181b; --soft: #52525b; --line: #d4d4d8;
  --key: #1d4ed8; --on-key: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --page: #18181b; --card: #27272a; --ink: #fafafa; --soft: #a1a1aa;
  --line: #3f3f46; --key: #93c5fd; --on-key: #172554; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--page);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 28rem; padding: 2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.75rem; overflow-wrap: anywhere; }
h1 { margin: 0 0 0.5rem; font-size: 1.25rem; line-height: 1.3; }
p { margin: 0.5rem 0 0; color: var(--soft); }
form { margin: 1.5rem 0 0; }
button { width: 100%; padding: 0.75rem 1rem; border: 0; border-radius: 0.5rem; background: var(--key);
  color: var(--on-key); font: inherit; font-weight: 600; cursor: pointer; }
button:focus-visible { outline: 3px solid var(--key); outline-offset: 3px; }
"""

_BUTTON = """<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">
<button type="submit">{label}</button></form>"""


def question() -> Response:
    """Do you want it?"""
    text = (
        "You will get no more e‑mail from AI Studio about your runs. They go on as before, and their answers are kept."
    )
    return _page(200, "Stop these e‑mails?", text, button="Send me no more e‑mail")


def done(address: str) -> Response:
    """It is so from now on. `address` is as it may be shown to strangers."""
    text = f"AI Studio sends no more e‑mail to {address}. In the notification settings you can turn it on again."
    return _page(200, "You are unsubscribed", text)


def unknown() -> Response:
    """The link leads nowhere."""
    text = "It may be incomplete. Try the link in a newer e‑mail, or turn e‑mail off in the notification settings."
    return _page(404, "This link is not known", text)


def away() -> Response:
    """Nobody can be asked now."""
    text = "Nothing has been changed yet. Please try again in a few minutes."
    return _page(503, "This does not work at the moment", text, button="Try again")


def _page(status: int, title: str, text: str, *, button: str = "") -> Response:
    form = _BUTTON.format(label=escape(button)) if button else ""
    body = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
<p>{escape(text)}</p>
{form}
</main>
</body>
</html>
"""
    retry = {"retry-after": str(RETRY_SECONDS)} if status == 503 else {}
    return HTMLResponse(body, status, headers={**_HEADERS, **retry})
