"""A lane writer that also tells how old its tokens are when they are stored; made only while telemetry is on."""

from kit.runlog.writer import LaneWriter
from kit.telemetry import measures

_END_OF_HEADERS = b"\r\n\r\n"


class MeasuredLaneWriter(LaneWriter):
    """The same writer; one measure per acknowledged message, not per token."""

    def acknowledge(self, sequence: int) -> None:
        """Measure what was waiting, then go on."""
        start = self._command.find(_END_OF_HEADERS) + len(_END_OF_HEADERS)
        at = measures.delta_at(self._command[start:])
        if at is not None:
            measures.token_age("stored", at)
        super().acknowledge(sequence)
