"""SIGTERM to every service in its container while people use it, one after the other, and each is started again.

`docker stop` sends it to the container's main process, and SIGKILL when `stop_grace_period` is over: then the exit code
is 137. Standard library only.
"""

import time

from compose_client import ANSWER_SECONDS, cuts, mails
from compose_engine import container, containers, docker, say
from compose_runs import CountingRun, three_runs
from compose_starts import ALONE, Start, started

STREAM_SECONDS = 90
ENOUGH_SECONDS = 10  # of counting to come: with that much a run outlasts a stop


def check_stops(services: tuple[str, ...]) -> list[Start]:
    """Stop each container of these during streams, and start it again; how long the starts took."""
    waiting = [(service, one["Id"]) for service in services for one in containers(service)]
    ends: list[str] = []
    starts: list[Start] = []
    runs: list[CountingRun] = []
    before = len(mails())
    del cuts[:]
    while waiting:  # on a slow machine the runs end before all had their turn, and others are begun
        with three_runs(STREAM_SECONDS) as begun:
            while waiting and all(run.seconds_left > ENOUGH_SECONDS for run in begun):
                service, id_ = waiting.pop(0)
                ends.append(f"{service} {_stopped(service, id_):.1f}")
                docker("start", id_)
                starts.append(started(service, ALONE, id_))
            for run in begun:
                run.finish()
        runs += begun
    say(f"SIGTERM during streams: all ended with exit code 0, after so many seconds: {', '.join(ends)}")
    _check_effect(runs)
    _check_mails(before + len(runs))
    return starts


def _stopped(service: str, id_: str) -> float:
    """Stop a container; the seconds that it took."""
    began = time.monotonic()
    docker("stop", id_)
    seconds, now = time.monotonic() - began, container(id_)
    code, grace = now["State"]["ExitCode"], now["Config"]["StopTimeout"]
    assert code == 0, f"{service} ended with exit code {code} after SIGTERM and {seconds:.1f} s"
    assert seconds < grace, f"{service} took {seconds:.1f} s to stop, and has {grace} s"
    return seconds


def _check_effect(runs: list[CountingRun]) -> None:
    """It was felt: streams moved to another edge, and answers to another worker."""
    seams = sum(run.kinds.count("generation.resumed") for run in runs)
    assert cuts, "no stream was cut, although each edge was stopped"
    assert seams, "no answer has changed its worker, although each worker was stopped"
    names = ", ".join(run.name for run in runs)
    say(f"nothing lost: {names} have their exact texts, over {len(cuts)} cuts and {seams} changes of the worker")


def _check_mails(expected: int) -> None:
    """The notifier was stopped too: one mail for each run all the same."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while len(found := mails()) < expected:
        assert time.monotonic() < deadline, f"{len(found)} mails have arrived, of {expected}"
        time.sleep(0.5)
    assert len(found) == expected, f"{len(found)} mails for {expected} runs: {[mail['Subject'] for mail in found]}"
    say("each of them has its mail")
