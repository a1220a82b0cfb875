"""How long to wait before the next try, and when to stop trying."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """How a client bears a server that is away. All in seconds."""

    first: float = 10.0
    """How long a server is sought that has not answered once; 0: one try."""
    lost: float = 60.0
    """How long one is sought that has answered before."""
    pause: float = 0.25
    """Before the first new try, until the server says another one (`retry:`). It doubles with each try in vain."""
    longest_pause: float = 5.0
    silence: float = 45.0
    """A connection that brings not one byte for so long is dead: the server sends at least a comment every 15 s."""
    connect: float = 5.0


@dataclass(frozen=True, slots=True)
class Loss:
    """A connection was lost, or could not be made; the next try is after `pause` seconds."""

    reason: str
    pause: float


class Backoff:
    """The pauses of one follower."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._base = patience.pause
        self._vain = 0
        self._lost_at: float | None = None

    def heard(self) -> None:
        """The connection is good: something came over it."""
        self._lost_at = None

    def progressed(self) -> None:
        """An event came: the next loss is the first of its kind."""
        self._vain = 0

    def told(self, milliseconds: int | None) -> None:
        """The server said how long to wait before coming back."""
        if milliseconds is not None:
            self._base = milliseconds / 1000

    def next_pause(self, now: float, at_least: float = 0.0, *, reached: bool) -> float | None:
        """The seconds to wait after a loss at `now`; None: it is time to give up. `at_least` is what the server asked
        for, `reached` whether it has ever answered.

        Pauses are spread by a quarter, so that many clients that lost one server do not come back as one.
        """
        if self._lost_at is None:
            self._lost_at = now
        pause = min(self._base * 2.0**self._vain, max(self._patience.longest_pause, self._base))
        self._vain = min(self._vain + 1, 16)
        if not pause:  # "come back at once"; after that not in a tight circle
            self._base = self._patience.pause
        pause = max(pause * random.uniform(0.75, 1.25), at_least)  # noqa: S311
        limit = self._patience.lost if reached else self._patience.first
        return pause if now + pause - self._lost_at <= limit else None
