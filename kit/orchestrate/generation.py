"""One generation of a run, as its orchestrator knows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts import events
from kit.runlog.lane import RunKey


@dataclass(frozen=True, slots=True)
class Generation:
    """What has to be known of a lane to stop it, or to end it in its worker's place."""

    key: RunKey
    lane: str
    model: str
    """Who was asked; the lane says who answered."""
    requested: datetime
    """From here on its times are counted."""
    created: events.RunCreated
    """The beginning of the run: it may be stored and not on the bus yet."""
    asked: tuple[str, ...] = ()
    """The texts of the question; every attempt is charged for them."""
    trace: Mapping[str, str] | None = None
