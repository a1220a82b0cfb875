"""The endings that compare writes itself, into lanes for which nothing is generated: those that are kept, and those of
models that the question does not fit.
"""

import msgspec

from contracts import events
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.runlog.lane import RunKey
from kit.runlog.once import Last, end_lane
from services.compare import core
from services.compare.models import LaneRow


class OwnEndings:
    """Writes what the tables say of such a lane."""

    def __init__(self, bus: Bus, blobs: Blobs) -> None:
        self._bus, self._blobs = bus, blobs

    async def write(self, key: RunKey, lane: LaneRow, last: Last | None = None) -> int:
        """Write the ending of a lane, unless it has one; returns its place. `last` is what the lane ends with now.

        Raises TimeoutError, JetStreamError.
        """
        ending, name = core.ending_of(lane), f"{key.run}.{lane.lane}.{lane.status}"
        text, text_ref = await self._blobs.inline_or_kept(f"{name}.text", lane.text or "")
        reasoning, reasoning_ref = await self._blobs.inline_or_kept(f"{name}.reasoning", lane.reasoning or "")
        carried: events.GenerationEnding = msgspec.structs.replace(
            ending, text=text, text_ref=text_ref, reasoning=reasoning or None, reasoning_ref=reasoning_ref
        )
        return (await end_lane(self._bus, key, carried, last=last)).sequence
