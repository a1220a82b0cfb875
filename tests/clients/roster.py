"""The clients, and what the matrix asks of each."""

from dataclasses import dataclass

STREAMS = "streams exactly"
CUT = "connections cut at any byte"
KILLED = "edge killed (SIGKILL)"
LATE = "resume after the end"
STOP = "stop"
ERRORS = "errors shown"
TOOLS = "tools"
USAGE = "usage"
REASONING = "reasoning"
REGENERATE = "regenerate"
UNKNOWN = "unknown or foreign"

FEATURES = (STREAMS, CUT, KILLED, LATE, STOP, ERRORS, TOOLS, USAGE, REASONING, REGENERATE, UNKNOWN)

LIBRARY = "studio_client (Python)"


@dataclass(frozen=True)
class Client:
    """One row of the matrix."""

    name: str
    driver: str
    """A file of tests/clients/node; or `python`."""
    given: tuple[tuple[str, str], ...] = ()
    """What the driver is told."""
    without: frozenset[str] = frozenset()
    """Features that there are not for this client."""

    @property
    def features(self) -> tuple[str, ...]:
        """What is asked of it."""
        return tuple(feature for feature in FEATURES if feature not in self.without)


_NATIVE = frozenset({TOOLS, REGENERATE})
_COMPLETIONS = frozenset({REGENERATE, UNKNOWN})
_RESPONSES = frozenset({REGENERATE})

NATIVE = (
    Client("fetch, our snippet (Node 24)", "fetch.mjs", without=_NATIVE),
    Client("eventsource 5 (npm)", "eventsource.mjs", without=_NATIVE),
    Client("EventSource (Chromium)", "chromium.mjs", without=_NATIVE),
)
AI_SDK = (
    *(Client(f"ai {major} (npm)", "ai.mjs", (("package", f"ai{major}"),)) for major in (7, 6, 5)),
    Client("ai 5 (npm), our resuming fetch", "ai.mjs", (("package", "ai5"), ("resuming", "yes"))),
    Client("ai 4 (npm)", "ai4.mjs"),
)
OPENAI = (
    Client("openai 7 (npm), chat completions", "openai.mjs", (("api", "chat"),), _COMPLETIONS),
    Client("openai 7 (npm), responses", "openai.mjs", (("api", "responses"),), _RESPONSES),
    Client("openai 3 (PyPI), chat completions", "python", (("api", "chat"),), _COMPLETIONS),
    Client("openai 3 (PyPI), responses", "python", (("api", "responses"),), _RESPONSES),
)
ROUNDS = (NATIVE, AI_SDK, OPENAI)
"""Who plays together: all at once would be too much for a small machine."""
CLIENTS = tuple(client for clients in ROUNDS for client in clients)
