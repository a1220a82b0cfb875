"""Who may say what to whom on the bus: one line of thought per user. The server's configuration and
docs/bus-permissions.md are made from this; services/roster.py says who they are.

A subject that is not here is refused by the server, whatever a service's code, or whoever took it over, tries.
"""

from typing import Any

from contracts import subjects
from contracts.architect import GetAssistantRun
from contracts.chat import GetConversation, GetRun
from contracts.compare import GetComparison
from contracts.generation import ListModels
from contracts.message import Request
from kit.bus.health import health_subject
from kit.bus.permissions import (
    ANY_OF,
    Permissions,
    declares,
    hears,
    keeps_long_texts,
    publishes,
    purges,
    reads,
    serves,
    together,
)
from services.roster import ROSTER

DECLARE, ANALYST = "declare", "analyst"
RUNS_LANE = subjects.LOG.format(tenant=ANY_OF, user=ANY_OF, run=ANY_OF, lane="run")
INBOX = "_INBOX.{user}"
"""Where a user's answers come. Nobody else may listen there: they hold what others said to him."""


def _asks(*requests: type[Request[Any]]) -> Permissions:
    return publishes(*(request.rpc_subject() for request in requests))


def _says(service: str) -> Permissions:
    """Every fact of a service."""
    told = [each for each in subjects.SUBJECTS_ARE_FOR if subjects.stream_of(each) == "EVENTS"]
    return publishes(*(each for each in told if each.split(".")[1] == service))


def _usual(service: str) -> Permissions:
    """What any service may: take what is for it, answer, tell its own facts, keep what is too long for a message."""
    return together((serves(service), _says(service), keeps_long_texts()))


def _orchestrates(service: str) -> Permissions:
    """Starts generations, watches them, ends those that nobody ends, writes the run's own lane."""
    return together((
        _usual(service),
        _asks(ListModels),
        publishes(subjects.GENERATE, subjects.GENERATION_ENDED, subjects.CANCEL, subjects.PING, subjects.LOG),
        reads("RUNS"),
        purges("RUNS"),
    ))  # fmt: skip


_OF_SERVICES: dict[str, Permissions] = {
    "edge": together((
        *(publishes(subjects.RPC.format(service=spec.name, verb=ANY_OF)) for spec in ROSTER if spec.name != "edge"),
        _says("edge"),
        reads("RUNS"),
        hears(subjects.LIVE, subjects.PRESENCE),
        Permissions(answers=True),  # who watches a run
        keeps_long_texts(),
    )),
    "chat": _orchestrates("chat"),
    "compare": _orchestrates("compare"),
    "architect": together((
        _orchestrates("architect"),
        publishes(subjects.START_STEP),
        publishes(subjects.TIMER.format(timer=">")),  # the names of timers have several parts
        purges("TIMERS"),
    )),
    "notifier": together((
        _usual("notifier"),
        _asks(GetRun, GetConversation, GetComparison, GetAssistantRun),
        publishes(subjects.PRESENCE),
    )),
    "inference": together((
        _usual("inference"),
        hears(subjects.CONTROL),
        publishes(subjects.PING, subjects.GENERATION_ENDED, subjects.LOG),
        publishes(subjects.DEAD.format(subject=subjects.GENERATE)),
        Permissions(never_publish=(RUNS_LANE,)),  # that lane is the orchestrator's
        reads("RUNS"),
    )),
}  # fmt: skip
"""A service that is not here has what is usual. More is given to it here, and nowhere else."""


def permissions() -> dict[str, Permissions]:
    """What each user may do: a service of the roster, who declares the streams, an analyst."""
    users = {}
    for spec in ROSTER:
        allowed = _OF_SERVICES.get(spec.name, _usual(spec.name))
        if spec.name != "edge":  # a container asks its own service whether it is well
            allowed += publishes(health_subject(spec.name))
        users[spec.name] = allowed
    users[DECLARE] = declares()
    # Not one call of JetStream: the server sends its answer to any subject that the call names.
    users[ANALYST] = hears(*subjects.STREAM_SUBJECTS["EVENTS"])
    return {name: allowed + hears(f"{INBOX.format(user=name)}.>") for name, allowed in users.items()}
