"""Every client of the roster and every feature: what came of it, compared with what the model was told to say."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.lab import TEXT, Lab
from tests.clients.npm import Node
from tests.clients.roster import (
    CLIENTS,
    CUT,
    ERRORS,
    KILLED,
    LATE,
    REASONING,
    REGENERATE,
    ROUNDS,
    STOP,
    STREAMS,
    TOOLS,
    UNKNOWN,
    USAGE,
)
from tests.clients.round import ARGUMENTS, CUTS, SHORT, THOUGHTS, TOOL, Outcome, play

STOPPED_SECONDS = 20.0

_APPENDS = "this SDK appends what is told again to what it has of the answer: give it our resuming fetch (ai-sdk.md)"
WRONG = {("ai 5 (npm)", CUT): _APPENDS, ("ai 5 (npm)", KILLED): _APPENDS}
"""What does not hold, and why; when it does, its test fails until it is taken out here."""


def asked(feature: str) -> pytest.MarkDecorator:
    """A test of a feature, for every client that has it."""
    parameters = []
    for client in CLIENTS:
        if feature not in client.features:
            continue
        marks = [pytest.mark.compat(client=client.name, feature=feature)]
        if reason := WRONG.get((client.name, feature)):
            marks.append(pytest.mark.xfail(strict=True, reason=reason))
        parameters.append(pytest.param(client.name, marks=marks, id=client.name))
    return pytest.mark.parametrize("client", parameters)


class Rounds:
    """The rounds; each is played when the first of its clients is asked for."""

    def __init__(self, lab: Lab, node: Node, chromium: str | None, folder: Path) -> None:
        self._lab, self._node, self._chromium, self._folder = lab, node, chromium, folder
        self._outcomes: dict[tuple[str, str], Outcome] = {}
        self._played: set[str] = set()

    async def outcome(self, client: str, feature: str) -> Outcome:
        """What came of it; fails with what the client says if it could not do it at all."""
        if client not in self._played:
            clients = next(each for each in ROUNDS if client in {one.name for one in each})
            self._played |= {one.name for one in clients}
            self._outcomes |= await play(self._lab, self._node, self._chromium, self._folder, clients)
        outcome = self._outcomes.get((client, feature))
        if outcome is None:
            pytest.skip("there is no Chromium on this machine (Debian: apt-get install chromium)")
        assert "problem" not in outcome.told, outcome.told["problem"]
        return outcome


@pytest.fixture(scope="session")
def rounds(lab: Lab, node: Node, chromium_or_none: str | None, tmp_path_factory: pytest.TempPathFactory) -> Rounds:
    """Nothing is played yet."""
    return Rounds(lab, node, chromium_or_none, tmp_path_factory.mktemp("chromium"))


@asked(STREAMS)
async def test_an_answer_is_told_exactly(rounds: Rounds, client: str) -> None:
    assert (await rounds.outcome(client, STREAMS)).told["text"] == SHORT


@asked(CUT)
async def test_cut_connections_cost_nothing(rounds: Rounds, client: str) -> None:
    outcome = await rounds.outcome(client, CUT)
    assert outcome.told["text"] == TEXT
    assert outcome.proxy is not None
    assert len(outcome.proxy.done) in (CUTS - 1, CUTS), "a terse protocol may be done before the last cut"
    assert len(outcome.script.heard) == 1, "the model was asked once"


@asked(KILLED)
async def test_a_killed_edge_costs_nothing(rounds: Rounds, client: str) -> None:
    outcome = await rounds.outcome(client, KILLED)
    assert outcome.killed
    assert outcome.told["text"] == TEXT
    assert len(outcome.script.heard) == 1, "the model was asked once"


@asked(LATE)
async def test_who_comes_back_after_the_end_is_told_the_whole_answer(rounds: Rounds, client: str) -> None:
    told = (await rounds.outcome(client, LATE)).told
    assert told["text"] == SHORT * 6
    assert told.get("more", []) == [], "from its end there is nothing more"


@asked(STOP)
async def test_stop_reaches_the_model_and_keeps_what_was_written(rounds: Rounds, client: str) -> None:
    outcome = await rounds.outcome(client, STOP)
    assert outcome.told["text"]
    assert (TEXT * 20).startswith(outcome.told["text"])
    async with asyncio.timeout(STOPPED_SECONDS):
        await outcome.script.stopped.wait()


@asked(ERRORS)
async def test_an_error_of_the_model_is_shown(rounds: Rounds, client: str) -> None:
    told = (await rounds.outcome(client, ERRORS)).told
    assert told["error"]
    assert not told.get("text")


@asked(TOOLS)
async def test_a_tool_is_called_by_the_client_and_its_result_is_answered(rounds: Rounds, client: str) -> None:
    told = (await rounds.outcome(client, TOOLS)).told
    (call,) = told["calls"]
    arguments = json.loads(call["arguments"]) if isinstance(call["arguments"], str) else call["arguments"]
    assert (call["name"], arguments) == (TOOL["name"], ARGUMENTS)
    assert told["text"] == SHORT


@asked(USAGE)
async def test_usage_is_told(rounds: Rounds, client: str) -> None:
    assert (await rounds.outcome(client, STREAMS)).told["usage"] == {"input": 11, "output": 22}


@asked(REASONING)
async def test_reasoning_is_told_beside_the_answer(rounds: Rounds, client: str) -> None:
    assert (await rounds.outcome(client, STREAMS)).told["reasoning"] == THOUGHTS


@asked(REGENERATE)
async def test_an_answer_is_made_again(rounds: Rounds, client: str) -> None:
    outcome = await rounds.outcome(client, REGENERATE)
    assert outcome.told["text"] == SHORT * 6, outcome.told
    assert outcome.told["messages"] == 2
    assert len(outcome.script.heard) == 2, outcome.told
    first, again = ([m["role"] for m in body["messages"]] for body in outcome.script.heard)
    assert first == again, "it does not see its first answer"


@asked(UNKNOWN)
async def test_a_foreign_one_is_like_one_that_does_not_exist(rounds: Rounds, client: str) -> None:
    told: dict[str, Any] = (await rounds.outcome(client, UNKNOWN)).told
    assert told["unknown"] == told["foreign"] or ("404" in str(told["unknown"]) and "404" in str(told["foreign"]))
    if isinstance(told["unknown"], dict):  # useChat: nothing to resume is no error
        assert told["unknown"]["status"] == "ready"
        assert told["unknown"]["messages"] == 0
