"""The cursor that clients keep: opaque to them, for us the log's epoch and a place in it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cursor:
    """`epoch` is when the log stream was made: places in another stream of the same name mean nothing here."""

    epoch: str
    sequence: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.sequence}"


def parse_cursor(text: str) -> Cursor | None:
    """The cursor in a client's text; None if it is none of ours."""
    epoch, dash, sequence = text.strip().partition("-")
    if not dash or not epoch.isalnum() or not sequence.isascii() or not sequence.isdigit() or len(sequence) > 19:
        return None
    return Cursor(epoch, int(sequence))
