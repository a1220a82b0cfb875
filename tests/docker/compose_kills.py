"""Containers that are killed in mid-sentence, and what comes back. Standard library only."""

import time
from typing import Any

from compose_client import ANSWER_SECONDS, answer, cuts
from compose_engine import containers, docker, kill_by_host_pid, say

BACK_SECONDS = 6.0  # from a kill to being known to the proxy again


class Killer:
    """Kills some containers after the first words of an answer, and others when those are back."""

    def __init__(self, *waves: list[dict[str, Any]]) -> None:
        self.killed: list[dict[str, Any]] = []
        self._waves, self._look_at = list(waves), 0.0

    def on_text(self, text: str) -> None:
        """The answer has come so far."""
        if len(text.split()) < 5 or not self._waves or time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + 0.5
        if all(restarted(one) for one in self.killed):
            wave = self._waves.pop(0)
            kill_by_host_pid(*wave)
            self.killed += wave
            self._look_at = time.monotonic() + BACK_SECONDS

    def check(self) -> None:
        """All were killed, and the engine has started them again."""
        assert not self._waves, "the answer was over before all were killed"
        deadline = time.monotonic() + ANSWER_SECONDS
        while not all(restarted(one) for one in self.killed):
            assert time.monotonic() < deadline, "a killed container was not restarted"
            time.sleep(0.5)


def restarted(container: dict[str, Any]) -> bool:
    """Whether the engine has started it again since we looked at it."""
    now = docker("inspect", "-f", "{{.RestartCount}} {{.State.Running}}", str(container["Id"]))
    return now == f"{container['RestartCount'] + 1} true"


def check_killed_workers() -> None:
    """Kill every worker in mid-sentence: the same answer goes on to its one ending."""
    killer = Killer(containers("inference"))
    answer("for 4 seconds", "demo-marathon", on_text=killer.on_text)
    killer.check()
    say(f"{len(killer.killed)} workers killed in mid-sentence and restarted; the answer ended as stored")
    answer("And now?")


def check_killed_edges() -> None:
    """Kill one edge and, when it is back, the other, during one answer: its stream moves to the one that is there."""
    one, other = containers("edge")
    killer = Killer([one], [other])
    del cuts[:]
    answer("for 20 seconds", "demo-marathon", on_text=killer.on_text)
    killer.check()
    assert cuts, "no stream was cut, although each edge was killed"
    say(f"both edges killed in turn in mid-sentence; the stream was cut {len(cuts)} times, and went on by its cursor")
