"""The plan of faults, and at whose door a silence is laid."""

import random
from collections import Counter

from services.roster import ROSTER
from tests.chaos.client.watcher import Gap
from tests.chaos.cluster.services import KINDS
from tests.chaos.faults.history import Happened, History
from tests.chaos.faults.plan import plan


def test_the_same_seed_gives_the_same_plan() -> None:
    one, two, other = (plan(random.Random(seed), KINDS, kills=3, pauses=2, drops=1) for seed in (7, 7, 8))
    assert one == two
    assert one != other


def test_every_kind_gets_its_kills_and_pauses() -> None:
    counted = Counter((fault.kind, fault.action) for fault in plan(random.Random(1), KINDS, kills=3, pauses=2, drops=4))
    assert counted[("sockets", "drop")] == 4
    for kind in KINDS:
        assert (counted[(kind, "kill")], counted[(kind, "pause")]) == (3, 2)


def test_every_service_is_killed() -> None:
    assert {spec.name for spec in ROSTER} <= set(KINDS)


def history(*faults: tuple[str, float, float]) -> History:
    told = History()
    told.faults = [
        Happened(kind, "kill", kind, began, restored=ended, recovered=ended) for kind, began, ended in faults
    ]
    return told


def gap(started: float, ended: float, *, own: bool = False) -> Gap:
    return Gap(started, ended, "answer", own, "chat_1")


def test_a_silence_is_caused_by_the_fault_that_began_in_it() -> None:
    told = history(("edge", 1, 2), ("chat", 10, 12), ("nats", 20, 25))
    assert str(told.cause(9.9, 14)) == "kill chat"
    assert str(told.cause(11, 11.5)) == "kill chat", "or by the one that was still going on"
    assert told.cause(15, 16) is None


def test_the_longest_silence_is_of_that_kind_and_not_the_clients_own() -> None:
    told = history(("edge", 1, 2), ("chat", 10, 12))
    told.gaps = [gap(0.9, 1.9), gap(0.8, 5, own=True), gap(9.9, 12.9), gap(30, 30.5)]
    assert round(told.longest("edge", "kill", "answer"), 1) == 1.0
    assert round(told.longest("chat", "kill", "answer"), 1) == 3.0
    assert told.longest("chat", "pause", "answer") == 0
    assert told.without_cause("answer") == 0.5
