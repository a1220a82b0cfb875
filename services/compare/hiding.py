"""What nobody is told of a blind comparison before the vote: values in, values out."""

from collections.abc import Iterable

from contracts import events
from contracts.compare import ComparedLane
from kit.runlog.blind import redacted
from services.compare.models import LaneRow


def hidden_events(told: Iterable[events.Event]) -> list[events.Event]:
    """What may be told of the events of a replay."""
    return [event for each in told if (event := redacted(each)) is not None]


def hidden_lane(lane: LaneRow, text: str | None) -> ComparedLane:
    """A lane of which nobody knows whose it is."""
    return ComparedLane(lane=lane.lane, status=lane.status, text=text)
