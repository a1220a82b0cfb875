"""A client of the stack in containers: it asks, and goes on by cursor when it is cut off. Standard library only."""

import json
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from compose_engine import compose

ANSWER_SECONDS = 60
SILENCE_SECONDS = 30  # a killed worker's work is taken over within 10 s
ENDINGS = {"run.completed", "run.failed", "run.cancelled"}
RETRY_SECONDS = 0.2
MESSAGES = "/v1/conversations/new/messages"

cuts: list[float] = []
"""When streams were cut off before their end."""


def connection(service: str = "proxy", inside: str = "8484") -> HTTPConnection:
    """To a service, wherever it is published now."""
    host, _, port = compose("port", service, inside).rpartition(":")
    assert host == "127.0.0.1", f"{service} is published on {host}"
    return HTTPConnection(host, int(port), timeout=SILENCE_SECONDS)


def events(path: str, body: dict[str, Any], seconds: float = ANSWER_SECONDS) -> Iterator[tuple[str, dict[str, Any]]]:
    """Begin a run; each event's cursor and data, as they come, over as many connections as it takes."""
    http = connection()
    host, port = http.host, http.port
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    http.request("POST", path, json.dumps(body), headers)
    response = http.getresponse()
    assert response.status == 200, f"HTTP {response.status}: {response.read()[:500]!r}"
    _not_touched(response)
    run, cursor, deadline = "", "", time.monotonic() + seconds
    while True:
        try:
            for place, data in _told(response):
                assert time.monotonic() < deadline, f"no ending within {seconds:.0f} s"
                if data["type"] == "notice" and not place:
                    continue  # this edge goes: a word of its own, and not of the run
                cursor, run = place, run or data["run_id"]
                yield place, data
                if data["type"] in ENDINGS:
                    return
        except (OSError, HTTPException):
            pass
        cuts.append(time.monotonic())
        response = _again(host, port, run, cursor, deadline)


def _again(host: str, port: int, run: str, cursor: str, deadline: float) -> HTTPResponse:
    """What any client does that lost its connection."""
    while time.monotonic() < deadline:
        http = HTTPConnection(host, port, timeout=SILENCE_SECONDS)
        try:
            http.request("GET", f"/v1/runs/{run}/events", headers={"Last-Event-ID": cursor})
            response = http.getresponse()
        except (OSError, HTTPException):
            time.sleep(RETRY_SECONDS)
            continue
        if response.status == 200:
            return response
        assert response.status in (502, 503), f"HTTP {response.status}: {response.read()[:500]!r}"
        time.sleep(RETRY_SECONDS)
    raise AssertionError(f"{run} could not be gone on with in time")


def _not_touched(response: HTTPResponse) -> None:
    """What stands between has neither compressed nor measured it."""
    found = {name.lower(): value for name, value in response.getheaders()}
    assert "content-encoding" not in found, found
    assert "content-length" not in found, found
    assert found["content-type"].startswith("text/event-stream"), found
    assert "no-transform" in found["cache-control"], found


def _told(response: HTTPResponse) -> Iterator[tuple[str, dict[str, Any]]]:
    cursor = ""
    while line := response.readline():
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "id":
            cursor = value
        elif name == "data":
            yield cursor, json.loads(value)
            cursor = ""


def answer(content: str, model: str = "demo-swift", on_text: Callable[[str], None] | None = None) -> str:
    """One answer, checked: cursors that never repeat, one ending, and what was seen is what is stored."""
    seen, text, cursors = [], "", set()
    for cursor, data in events(MESSAGES, {"content": content, "model": model}):
        assert cursor, f"an event without a cursor: {data}"
        assert cursor not in cursors, f"the cursor {cursor} came twice"
        cursors.add(cursor)
        seen.append(data)
        if data["type"] == "generation.delta":
            text += data["text"]
            if on_text is not None:
                on_text(text)
        elif data["type"] == "generation.restarted":
            text = ""  # the next worker begins again
    kinds = [data["type"] for data in seen]
    assert kinds[0] == "run.created", kinds
    assert kinds[-1] == "run.completed", seen[-1]
    assert sum(kind in ENDINGS for kind in kinds) == 1, kinds
    assert kinds.count("generation.delta") > 3, "it did not come token by token"
    stored = messages(seen[0]["conversation_id"])
    assert [message["role"] for message in stored] == ["user", "assistant"], stored
    assert stored[-1]["content"] == text, (stored[-1]["content"], text)
    return str(seen[0]["conversation_id"])


def messages(conversation: str) -> list[dict[str, Any]]:
    """What is stored."""
    http = connection()
    http.request("GET", f"/v1/conversations/{conversation}/messages")
    response = http.getresponse()
    assert response.status == 200, response.status
    return list(json.loads(response.read())["items"])


def mails() -> list[dict[str, Any]]:
    """What has arrived in the mail service, the newest first."""
    http = connection("mailpit", "8025")
    http.request("GET", "/api/v1/messages")
    return list(json.loads(http.getresponse().read())["messages"])
