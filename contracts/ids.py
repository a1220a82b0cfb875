"""Which ids may meet a subject, and how run ids tell their owner."""

import re
from typing import Annotated

from pydantic import StringConstraints

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RUN_ID = re.compile(r"(chat|cmp|arc)_[A-Za-z0-9_-]{1,59}")

RunId = Annotated[str, StringConstraints(pattern=r"^(chat|cmp|arc)_[A-Za-z0-9_-]{1,59}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]

RUN_LANE = "run"
"""The lane that the orchestrator writes."""

MAIN_LANE = "main"
"""The only generation of a chat run."""

ORCHESTRATORS = {"chat": "chat", "cmp": "compare", "arc": "architect"}
"""Kind (the prefix of a run id) to the service that owns such runs."""

BLIND = "_blind"
"""How the id of a blind comparison ends: any edge knows by it what must not be told, also when nobody can be asked."""


def is_blind(run_id: str) -> bool:
    """Whether a run is a comparison whose models are hidden until its owner has voted."""
    return run_id.endswith(BLIND)


def is_id(text: str) -> bool:
    """Whether a text from outside is safe as one token of a subject (no dot, wildcard or blank)."""
    return _ID.fullmatch(text) is not None


def orchestrator_of(run_id: str) -> str | None:
    """The service that owns a run, read from its id; None for an id that is no run's."""
    match = _RUN_ID.fullmatch(run_id)
    return ORCHESTRATORS[match[1]] if match else None
