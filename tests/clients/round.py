"""One round in which several clients do everything, at the same time; the tests look at what came of it.

All of them lose the same edge at the same moment, in the middle of their answers: they are held there until it is dead.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.clients import openai_python
from tests.clients.lab import MODEL, TEXT, Lab
from tests.clients.npm import Node
from tests.clients.roster import CUT, ERRORS, KILLED, LATE, REGENERATE, STOP, STREAMS, TOOLS, UNKNOWN, Client
from tests.clients.scripted_model import Script
from tests.fixtures.cutting_proxy import CuttingProxy
from tests.fixtures.polling import until

ENOUGH = 60
"""Characters after which a client stops, and pieces after which the edge is killed."""
KILL_SECONDS = 40.0
"""Who has not said enough by then does not say it at all."""
CUTS = 3
"""Connections of one answer that are cut, if it takes so many."""
SHORT = "Grüße 🌊 and so on."
THOUGHTS = "Let me think: 日本語 first, then the rest."
TOOL = {
    "name": "weather",
    "description": "How the weather is.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
ARGUMENTS = {"city": "Köln"}
ACTIONS = {ERRORS: "fail", LATE: "late", STOP: "stop", TOOLS: "tools", REGENERATE: "regenerate", UNKNOWN: "unknown"}
"""By feature; all others `send`."""


@dataclass
class Outcome:
    """What came of one feature of one client."""

    script: Script
    user: str
    proxy: CuttingProxy | None = None
    told: dict[str, Any] = field(default_factory=dict)
    killed: bool = False
    """The edge was killed while this answer was held in its middle."""


class Round:
    """Some clients at work."""

    def __init__(self, lab: Lab, node: Node, chromium: str | None, folder: Path) -> None:
        self.outcomes: dict[tuple[str, str], Outcome] = {}
        self._lab, self._node, self._chromium, self._folder = lab, node, chromium, folder

    async def run(self, clients: tuple[Client, ...]) -> None:
        """Let all do everything."""
        await self._lab.ready()  # also the edge that the round before has killed
        async with contextlib.AsyncExitStack() as stack:
            killed = await stack.enter_async_context(self._lab.proxy(in_turn=False))
            work = []
            for number, client in enumerate(clients):
                if client.driver == "chromium.mjs" and not self._chromium:
                    continue
                cut = await stack.enter_async_context(self._lab.proxy(seed=number, cuts=CUTS, least=900, most=3000))
                tasks = [self._task(client, feature, cut, killed) for feature in client.features if feature in _OWN]
                work.append(asyncio.create_task(self._perform(client, tasks)))
            await self._kill(killed, work)
            await asyncio.gather(*work)

    def _task(self, client: Client, feature: str, cut: CuttingProxy, killed: CuttingProxy) -> dict[str, Any]:
        script = _script(feature)
        user = f"{client.name} {feature}"
        outcome = self.outcomes[client.name, feature] = Outcome(script, user, cut if feature == CUT else None)
        url = {CUT: cut.url, KILLED: killed.url}.get(feature, self._lab.url)
        task = {
            "name": feature,
            "action": ACTIONS.get(feature, "send"),
            "url": url,
            "direct": self._lab.url,
            "prompt": self._lab.model.prompt(script),
            "model": MODEL,
            "enough": ENOUGH,
            "together": feature == KILLED,
            "token": self._lab.stack.token(user),
            "stranger": self._lab.stack.token("a stranger"),
        }
        if feature == TOOLS:
            after = self._lab.model.prompt(Script(SHORT), "It is as in")
            task |= {"tools": [TOOL], "result": {"told": after}}
        if client.driver == "chromium.mjs" and feature != UNKNOWN:
            del task["token"]  # signed in by its cookie, as the one user of local mode
            outcome.user = ""
        return task

    async def _perform(self, client: Client, tasks: list[dict[str, Any]]) -> None:
        given: dict[str, Any] = dict(client.given)
        told: dict[str, Any]
        try:
            if client.driver == "python":
                told = await openai_python.perform(given["api"], tasks)
            else:
                if client.driver == "chromium.mjs":
                    given |= {"browser": self._chromium, "profile": str(self._folder)}
                told = await self._node.run(client.driver, tasks=tasks, **given)
        except Exception as error:  # of the whole client: every test of it shows it
            told = {task["name"]: {"problem": repr(error)} for task in tasks}
        for task in tasks:
            self.outcomes[client.name, task["name"]].told = told.get(task["name"]) or {"problem": "nothing was told"}

    async def _kill(self, proxy: CuttingProxy, work: list[asyncio.Task[None]]) -> None:
        """When all are in the middle of their answers, or will not come there."""
        outcomes = [outcome for (_, feature), outcome in self.outcomes.items() if feature == KILLED]
        held = [outcome.script for outcome in outcomes]

        async def all_are_held() -> bool:
            return all(script.said >= ENOUGH for script in held) or all(each.done() for each in work)

        with contextlib.suppress(AssertionError):
            await until(all_are_held, seconds=KILL_SECONDS)
        if proxy.open:
            for outcome in outcomes:
                outcome.killed = outcome.script.said == ENOUGH
            await self._lab.kill_edge(proxy.open[0])
        for script in held:
            script.go_on.set()


_OWN = frozenset({STREAMS, CUT, KILLED, *ACTIONS})
"""Features that need an answer of their own; the others are seen in what streams."""


def _script(feature: str) -> Script:
    if feature == CUT:
        return Script(TEXT, pause_seconds=0.012)
    if feature == KILLED:
        return Script(TEXT, holds_after=ENOUGH)
    if feature == STOP:
        return Script(TEXT * 20, pause_seconds=0.012)
    if feature == ERRORS:
        return Script(status=401)
    if feature == TOOLS:
        return Script(tools=({"name": TOOL["name"], "arguments": ARGUMENTS},))
    if feature == STREAMS:
        return Script(SHORT, thoughts=THOUGHTS)
    return Script(SHORT * 6, pause_seconds=0.02)


async def play(
    lab: Lab, node: Node, chromium: str | None, folder: Path, clients: tuple[Client, ...]
) -> dict[tuple[str, str], Outcome]:
    """What came of a round, by the client's name and the feature."""
    played = Round(lab, node, chromium, folder)
    await played.run(clients)
    return played.outcomes
