"""Which service is asked about a run: its id says so. And the runs of all of them as one list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from contracts import architect, chat, compare
from contracts.ids import BLIND, orchestrator_of
from contracts.message import Request
from kit.refusal import Refused


@dataclass(frozen=True, slots=True)
class Orchestrator:
    """What a service that owns runs is asked about them. `kind` is how the ids of its runs begin."""

    kind: str
    get: Callable[..., Request[Any]]
    cancel: Callable[..., Request[Any]]
    replay: Callable[..., Request[Any]]
    page: Callable[..., Request[Any]]

    def mark(self, before: str | None) -> str | None:
        """Where a page of this service's runs goes on, from the id of a run of any kind.

        Ids are ordered by what stands between the kind and the sign of a blind one: the time.
        """
        return None if before is None else f"{self.kind}_{_time(before)}"


SERVED = {
    "chat": Orchestrator("chat", chat.GetRun, chat.CancelRun, chat.ReplayRun, chat.ListRuns),
    "compare": Orchestrator(
        "cmp", compare.GetCompareRun, compare.CancelCompareRun, compare.ReplayCompareRun, compare.ListCompareRuns
    ),
    "architect": Orchestrator(
        "arc",
        architect.GetArchitectRun,
        architect.CancelArchitectRun,
        architect.ReplayArchitectRun,
        architect.ListArchitectRuns,
    ),
}
"""By service. The runs of any other are unknown."""

UNKNOWN_RUN = "There is no such run."


def serving(run_id: str) -> Orchestrator:
    """What to ask about a run. An id that is none is refused like one that is unknown. Raises Refused."""
    found = SERVED.get(orchestrator_of(run_id) or "")
    if found is None:
        raise Refused("unknown_run", UNKNOWN_RUN)
    return found


def run_mark(text: str | None) -> str | None:
    """Where a page of runs goes on, from a query; it is the `next` of the page before, and that is a run's id."""
    if text is not None and orchestrator_of(text) is None:
        raise Refused("invalid_cursor", "This is not the `next` of an earlier page.")
    return text


def merged(pages: Sequence[chat.RunPage], limit: int) -> chat.RunPage:
    """The newest runs of pages that all go on at the same mark."""
    runs = sorted((run for page in pages for run in page.items), key=lambda run: _time(run.id), reverse=True)
    more = len(runs) > limit or any(page.next is not None for page in pages)
    return chat.RunPage(items=tuple(runs[:limit]), next=runs[limit - 1].id if more else None)


def _time(run_id: str) -> str:
    return run_id.partition("_")[2].removesuffix(BLIND)
