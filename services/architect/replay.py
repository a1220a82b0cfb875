"""The events of a run whose log is gone, from what is stored of it. Values in, values out."""

from collections.abc import Sequence

from contracts import events
from services.architect.models import Planned
from services.architect.own_endings import ending_of

_WITH_GENERATION = (events.StepCompleted, events.StepFailed, events.StepCancelled)


def replay(planned: Planned, said: Sequence[str]) -> list[events.Event]:
    """What the lane `run` said, and before the end of each step the whole of its last answer."""
    told: list[events.Event] = []
    for encoded in said:
        event = events.decode(encoded.encode())
        if isinstance(event, _WITH_GENERATION):
            step = planned.step(event.step)
            if step is not None and event.generation is not None and step.attempts:
                told.append(ending_of(step))
        if event is not None:
            told.append(event)
    return told
