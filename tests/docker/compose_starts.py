"""How long each service takes in its container, from its start to the first health check that it passes.

A start is what the engine says (`State.StartedAt`), and so is health (`State.Health.Log`). The first look is taken four
seconds after the start (compose.yaml, `start_interval`) and takes a Python of its own, so a service is ready some
seconds before it is found healthy: when it says so itself stands beside it. Who does one thing and ends is measured to
its end. Standard library only.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from compose_engine import READY_SECONDS, compose, container, containers, docker, logs, say

LIMIT_SECONDS = 30.0
"""A container starts in less."""
ONCE = ("secrets", "bus-keys", "migrate", "declare")
AT_ONCE, ALONE = "at once", "alone"
READY = " is ready (pid "
LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Start:
    """One start of one container."""

    service: str
    how: str
    ready: float | None
    """Seconds until it said that it is ready; none: it is one that says nothing and ends."""
    healthy: float
    """Seconds until it passed a health check, or had done what it is there for."""

    @property
    def own(self) -> float:
        """Its share: started with all others an edge is healthy when chat answers, which waits for `migrate`."""
        return self.healthy if self.how == ALONE or self.ready is None else self.ready


def measured(service: str, how: str, state: dict[str, Any], lines: list[str]) -> Start:
    """The latest start of a container, from its state and from what it has written since then."""
    began = datetime.fromisoformat(state["StartedAt"])

    def after(moment: str) -> float:
        return (datetime.fromisoformat(moment) - began).total_seconds()

    if service in ONCE:
        assert state["ExitCode"] == 0, f"{service} ended with exit code {state['ExitCode']}"
        return Start(service, how, None, after(state["FinishedAt"]))
    said = [line.split()[0] for line in lines if READY in line]
    assert said, f"{service} is healthy and has not said that it is ready"
    looks = state["Health"]["Log"]  # with those of earlier starts
    passed = [look["End"] for look in looks if look["ExitCode"] == 0 and after(look["Start"]) > 0]
    return Start(service, how, after(said[0]), after(passed[0]))


def started(service: str, how: str, id_: str) -> Start:
    """Wait until a container is healthy (or has ended, if it is one that does), and measure its latest start."""
    state = _settled(service, id_)
    return measured(service, how, state, logs(id_, state["StartedAt"]))


def all_started(services: Iterable[str]) -> list[Start]:
    """The starts of everything that `up` has just started at once; those who do one thing first."""
    there = compose("config", "--services").split()
    names = [*(name for name in ONCE if name in there), *services]
    return [started(name, AT_ONCE, one["Id"]) for name in names for one in containers(name)]


def started_again(*services: str) -> list[Start]:
    """Those who do one thing, told to do it once more while everything runs."""
    there = compose("config", "--services").split()
    ids = [(name, one["Id"]) for name in services if name in there for one in containers(name)]
    return [started(name, ALONE, id_) for name, id_ in ids if docker("start", id_)]


def check_starts(starts: list[Start]) -> None:
    """Print the slowest start of each, and hold all against the limit."""
    say("seconds from a container's start until it     at once with all      alone, in use")
    say("                                           says ready   healthy    says ready   healthy")
    for service in dict.fromkeys(start.service for start in starts):
        cells = [_slowest(starts, service, how) for how in (AT_ONCE, ALONE)]
        say(f"  {service:40} {cells[0]}    {cells[1]}")
    slow = [start for start in starts if start.own >= LIMIT_SECONDS]
    assert not slow, f"not started within {LIMIT_SECONDS:.0f} s: {slow}"


def _slowest(starts: list[Start], service: str, how: str) -> str:
    mine = [start for start in starts if (start.service, start.how) == (service, how)]
    if not mine:
        return f"{'-':>10} {'-':>9}"
    slowest = max(mine, key=lambda start: start.healthy)
    return f"{'-' if slowest.ready is None else f'{slowest.ready:.1f}':>10} {slowest.healthy:9.1f}"


def _settled(service: str, id_: str) -> dict[str, Any]:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        state: dict[str, Any] = container(id_)["State"]
        if state["Status"] == "exited" if service in ONCE else state["Health"]["Status"] == "healthy":
            return state
        assert time.monotonic() < deadline, f"{service} is not ready within {READY_SECONDS} s: {state}"
        time.sleep(LOOK_SECONDS)
