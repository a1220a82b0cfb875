"""Turns the events of a run into text on a terminal: each piece once, also after a reconnect or a replay."""

from collections.abc import Callable, Mapping
from typing import Any

from studio_client import Event, Transcript

DIM, NORMAL = "\x1b[2m", "\x1b[0m"


class Answer:
    """Shows a transcript as it grows. `write` gets text for standard output, `note` whole lines for standard error."""

    def __init__(
        self, transcript: Transcript, write: Callable[[str], None], note: Callable[[str], None], *, terminal: bool
    ) -> None:
        self._transcript = transcript
        self._write = write
        self._note = note
        self._terminal = terminal
        self._shown: dict[str, str] = {}  # what is on the screen, by lane
        self._dimmed = False
        self._at_line_start = True

    def on_event(self, event: Event) -> None:
        """Take an event that is in the transcript already; unknown types show nothing, as every client must."""
        kind, data = event.type, event.data
        if kind == "generation.reasoning":
            self._think(str(data.get("text", "")))
        elif kind == "generation.restarted":
            self._line("[the model starts this answer again]")
            self._shown[event.lane] = ""
        elif kind.startswith("generation."):
            self._show(event.lane, self._transcript.text(event.lane))
            self._tell(kind, data)
        elif event.type == self._transcript.ending:
            self._end(kind, data)

    def interrupt(self) -> None:
        """Leave the terminal as we found it: the user has pressed Ctrl-C in the middle of a line."""
        self._undim()
        if not self._at_line_start:
            self._put("\n")

    def _tell(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "generation.completed" and data.get("finish_reason") == "length":
            self._line("[cut off: the limit on the length of an answer was reached]")
        elif kind == "generation.failed":
            self._line(f"error: {error_text(data)}")

    def _show(self, lane: str, text: str) -> None:
        shown = self._shown.get(lane, "")
        if shown.startswith(text):  # nothing new, or a replay of what is on the screen already
            return
        if not text.startswith(shown):
            self._line("[the answer has changed; from its start:]")
            shown = ""
        self._undim()
        self._put(text[len(shown) :])
        self._shown[lane] = text

    def _think(self, text: str) -> None:
        if not self._terminal:
            return  # a pipe gets the answer and nothing else
        if not self._dimmed:
            self._write(DIM)
            self._dimmed = True
        self._put(text)

    def _undim(self) -> None:
        if self._dimmed:
            self._write(NORMAL)
            self._dimmed = False
            if not self._at_line_start:
                self._put("\n\n")

    def _end(self, kind: str, event: Mapping[str, Any]) -> None:
        self._undim()
        if not self._at_line_start:
            self._put("\n")
        if kind == "run.failed":
            self._note(f"error: the run failed: {error_text(event)}")
        elif kind == "run.cancelled":
            self._note("cancelled; what was written so far is kept")

    def _line(self, text: str) -> None:
        self._undim()
        if not self._at_line_start:
            self._put("\n")
        self._note(text)

    def _put(self, text: str) -> None:
        if text:
            self._write(text)
            self._at_line_start = text.endswith("\n")


def error_text(event: Mapping[str, Any]) -> str:
    """`message (code)` of an event's error, or the best that is there."""
    error = event.get("error")
    if not isinstance(error, Mapping):
        return str(error or "no reason was given")
    message, code = error.get("message"), error.get("code")
    return f"{message} ({code})" if message and code else str(message or code or "no reason was given")
