"""An OpenAI-compatible model server that says what a test has told it to say, in pieces of odd sizes.

A request is known by a mark in one of its messages, the newest first: `model.prompt(Script(…))` makes such a prompt.
"""

import asyncio
import itertools
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

SEED = 20261127
MARK = re.compile(r"script-(\d+)")
USAGE = {"prompt_tokens": 11, "completion_tokens": 22, "total_tokens": 33}
PIECE_CHARACTERS = (1, 14)


@dataclass
class Script:
    """One answer."""

    text: str = ""
    thoughts: str = ""
    tools: tuple[dict[str, Any], ...] = ()
    """`{"name": …, "arguments": {…}}`."""
    pause_seconds: float = 0.004
    """Between two pieces."""
    holds_after: int | None = None
    """After so many pieces wait for `go_on`."""
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 200
    """Any other: an error with this status."""
    heard: list[dict[str, Any]] = field(default_factory=list)
    """What was asked: the bodies."""
    said: int = 0
    """How many pieces were said in all."""
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a caller closed before the answer was whole."""


class ScriptedModel:
    """The server and its scripts."""

    def __init__(self) -> None:
        self.base_url = ""
        self._scripts: dict[str, Script] = {}
        self._numbers = itertools.count(1)
        self._runner: web.AppRunner | None = None

    def prompt(self, script: Script, words: str = "Please say") -> str:
        """A prompt that is answered by this script."""
        number = str(next(self._numbers))
        self._scripts[number] = script
        return f"{words} script-{number}"

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def stop(self) -> None:
        """End every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        script = self._script_for(body)
        if script is None:
            return web.json_response({"error": {"message": "no script is named in this request"}}, status=400)
        script.heard.append(body)
        if script.status != 200:
            return web.json_response({"error": {"message": "scripted", "code": "scripted"}}, status=script.status)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        try:
            await response.prepare(request)
            for number, delta in enumerate(_deltas(script)):
                if number == script.holds_after:
                    await script.go_on.wait()
                await response.write(_chunk(delta))
                script.said += 1
                await asyncio.sleep(script.pause_seconds)
            await response.write(_chunk({}, "tool_calls" if script.tools else "stop"))
            await response.write(_data({"choices": [], "usage": USAGE}) + b"data: [DONE]\n\n")
        except (asyncio.CancelledError, ConnectionError):
            script.stopped.set()
            raise
        return response

    def _script_for(self, body: dict[str, Any]) -> Script | None:
        for message in reversed(body["messages"]):
            if found := MARK.findall(json.dumps(message)):
                return self._scripts.get(found[-1])
        return None


def _deltas(script: Script) -> Iterator[dict[str, Any]]:
    dice = random.Random(SEED)
    for name, words in (("reasoning_content", script.thoughts), ("content", script.text)):
        place = 0
        while place < len(words):
            size = dice.randint(*PIECE_CHARACTERS)
            yield {name: words[place : place + size]}
            place += size
    for index, tool in enumerate(script.tools):
        call = {"name": tool["name"], "arguments": json.dumps(tool["arguments"])}
        yield {"tool_calls": [{"index": index, "id": f"call_{index}", "type": "function", "function": call}]}


def _chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    return _data({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _data(value: Any) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()
