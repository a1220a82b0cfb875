"""What can go wrong, in words that can be shown to a person."""

import json


class StudioError(Exception):
    """Any error of this library."""


class ApiError(StudioError):
    """The server refused a request. `code` is stable and for programs, `detail` is for people."""

    def __init__(self, status: int, code: str, title: str, detail: str) -> None:
        self.status, self.code, self.title, self.detail = status, code, title, detail
        text = f"{title}: {detail}" if title and detail else title or detail or "no reason was given"
        super().__init__(f"{text} (HTTP {status})")


class UnreachableError(StudioError):
    """Nobody answers at this address."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(f"nothing answers at {url} ({reason})")


class LostError(StudioError):
    """The connection to a run is lost and did not come back. The run goes on: `Studio.run(run_id, cursor)` resumes."""

    def __init__(self, run_id: str, cursor: str, reason: str) -> None:
        self.run_id, self.cursor, self.reason = run_id, cursor, reason
        super().__init__(f"the connection is lost ({reason}); the run goes on")


def api_error(status: int, body: bytes) -> ApiError:
    """The error in a response: a problem document (RFC 9457), or the first line of whatever else came."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if isinstance(document, dict) and (document.get("title") or document.get("detail")):
        title, detail = str(document.get("title") or ""), str(document.get("detail") or "")
        return ApiError(status, str(document.get("code") or ""), title, detail)
    lines = body.decode(errors="replace").strip().splitlines()
    return ApiError(status, "", "", lines[0][:200] if lines else "")
