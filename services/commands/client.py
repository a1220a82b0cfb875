"""What the client commands share: where the stack is, who we are, and errors in words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from kit.runtime.datadir import DataDirectory
from kit.runtime.errors import StartError
from kit.settings import Settings
from services.commands.settings import load_settings

CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class Target:
    """A running edge and the headers that identify us there."""

    url: str
    headers: Mapping[str, str]

    def unreachable(self, reason: object) -> StartError:
        """Nobody answers at this URL."""
        return StartError(f"nothing answers at {self.url} ({reason}); start it with `python3 studio up`, or give --url")


def find_target(url: str | None, token: str | None, settings: Settings | None = None) -> Target:
    """The URL given, or the stack that runs in our data directory, or the port of the settings."""
    if url is None:
        settings = settings or load_settings()
        running = DataDirectory(settings.data_dir).running()
        url = running.url if running is not None else f"http://127.0.0.1:{settings.edge.port}"
    return Target(url.rstrip("/"), {"Authorization": f"Bearer {token}"} if token else {})


def problem_text(status: int, body: str) -> str:
    """An HTTP error in words: RFC 9457 problem documents, or whatever else came."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if isinstance(document, dict):
        title, detail = document.get("title"), document.get("detail")
        text = f"{title}: {detail}" if title and detail else title or detail
        if text:
            return f"{text} (HTTP {status})"
    first = body.strip().splitlines()[0][:200] if body.strip() else "no reason was given"
    return f"{first} (HTTP {status})"
