"""Runs that go on while something is done to the stack: a chat, a comparison and an assistant. Standard library only.

In each of them demo-marathon counts, so that a lost, a doubled and a misplaced word are seen.
"""

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from compose_client import ANSWER_SECONDS, ENDINGS, MESSAGES, connection, events

COUNTER, OTHER = "demo-marathon", "demo-swift"
TOKENS_PER_SECOND = 20
RUN_SECONDS = 300  # that all of this takes at most


class CountingRun:
    """One run of somebody who watches it to its end, and comes back whenever the connection is lost."""

    def __init__(self, name: str, path: str, body: dict[str, Any], numbers: int) -> None:
        self.name, self.kinds, self.texts = name, [""], dict[str, str]()
        self._path, self._body, self._numbers = path, body, numbers
        self._cursors: set[str] = set()
        self._counting = ""  # the lane
        self._followed: Future[None] | None = None

    def begin(self, pool: ThreadPoolExecutor) -> None:
        """Ask, and watch from another thread."""
        self._followed = pool.submit(self._follow)

    @property
    def has_begun(self) -> bool:
        """Whether it counts by now. Raises what following it has raised."""
        return self.seconds_left < self._numbers / TOKENS_PER_SECOND

    @property
    def seconds_left(self) -> float:
        """How long it has to count still. Raises what following it has raised."""
        if self._followed is not None and self._followed.done():
            self._followed.result()
        return (self._numbers - len(self._count().split())) / TOKENS_PER_SECOND

    def finish(self) -> None:
        """Wait for its ending, and check: one ending, and the exact text, as it is stored."""
        assert self._followed is not None
        self._followed.result(RUN_SECONDS)
        assert self.kinds[-1] == "run.completed", f"{self.name}: {self.kinds[-1]}"
        assert sum(kind in ENDINGS for kind in self.kinds) == 1, self.name
        exact = " ".join(str(number) for number in range(1, self._numbers + 1))
        assert self._count() == exact, f"{self.name}: {self._count()}"

    def _count(self) -> str:
        paragraphs = self.texts.get(self._counting, "").split("\n\n")
        return paragraphs[1] if len(paragraphs) > 1 else ""

    def _follow(self) -> None:
        for cursor, data in events(self._path, self._body, RUN_SECONDS):
            assert cursor, f"{self.name}: an event without a cursor: {data}"
            assert cursor not in self._cursors, f"{self.name}: the cursor {cursor} came twice"
            self._cursors.add(cursor)
            self.kinds.append(data["type"])
            self._fold(data["type"], data.get("lane", ""), data)

    def _fold(self, kind: str, lane: str, data: dict[str, Any]) -> None:
        if kind == "generation.started" and data["model"] == COUNTER:
            self._counting = lane
        elif kind == "generation.delta":
            self.texts[lane] = self.texts.get(lane, "") + data["text"]
        elif kind == "generation.restarted":
            self.texts[lane] = ""
        elif kind == "generation.completed":
            assert self.texts[lane] == data["text"], f"{self.name}: {lane} was not seen as it is stored"
        assert kind not in ("reset", "generation.failed", "generation.cancelled"), f"{self.name}: {data}"


@contextmanager
def three_runs(seconds: int) -> Iterator[list[CountingRun]]:
    """A chat, a comparison and an assistant that count for so long; each has begun to."""
    numbers = seconds * TOKENS_PER_SECOND
    ask = f"{numbers} tokens at {TOKENS_PER_SECOND} tokens per second"
    asked = {"notify": "always"}
    runs = [
        CountingRun("chat", MESSAGES, {**asked, "content": ask, "model": COUNTER}, numbers),
        CountingRun("compare", "/v1/comparisons", {**asked, "prompt": ask, "models": [COUNTER, OTHER]}, numbers),
        CountingRun("architect", f"/v1/assistants/{_assistant(ask)}/runs", {**asked, "inputs": {}}, numbers),
    ]
    with ThreadPoolExecutor(len(runs)) as pool:
        deadline = time.monotonic() + ANSWER_SECONDS
        for run in runs:
            run.begin(pool)
        while not all(run.has_begun for run in runs):
            assert time.monotonic() < deadline, "not every run has begun to count"
            time.sleep(0.1)
        yield runs


def _assistant(ask: str) -> str:
    """Two steps, of which the first one counts; its id."""
    first = {"name": "first", "prompt": ask, "model": COUNTER}
    second = {"name": "second", "prompt": "And after ${first.output}?", "model": OTHER, "depends_on": ["first"]}
    http = connection()
    body = json.dumps({"name": "Stops", "definition": {"fields": [], "steps": [first, second]}})
    http.request("POST", "/v1/assistants", body, {"Content-Type": "application/json"})
    response = http.getresponse()
    said = response.read()
    assert response.status == 201, f"HTTP {response.status}: {said[:500]!r}"
    return str(json.loads(said)["id"])
