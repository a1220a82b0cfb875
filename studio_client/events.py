"""The events of a run, as the server tells them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio_client.sse import Frame

ENDINGS = frozenset({"run.completed", "run.failed", "run.cancelled"})
"""Every run ends with exactly one of these."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Types may be added to the protocol: ignore those you do not know."""

    type: str
    lane: str
    """`run`, or the generation it belongs to: `main` in a chat."""
    data: Mapping[str, Any]
    cursor: str
    """Resume from here: `Studio.run(run_id, cursor)`."""


def event_in(frame: Frame) -> Event | None:
    """The event in a frame; None if it is none of ours."""
    try:
        data = json.loads(frame.data)
    except ValueError:
        return None
    if not isinstance(data, dict):
        return None
    return Event(str(data.get("type", frame.type)), str(data.get("lane", "")), data, frame.id)
