"""What every way by which an e-mail goes out has in common."""

from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from typing import Protocol

HandingOver = Callable[[], Awaitable[None]]
"""Called at the last moment at which the mail can still be kept back: from here on, a crash leaves it open whether it
went out. It raises if the mail is to be kept back.
"""


class Transport(Protocol):
    """Sends e-mails. One that was sent has its Message-ID whatever happens: sent twice it is the same mail."""

    async def start(self) -> None:
        """Open what is kept open. No server needs to answer yet."""

    async def stop(self) -> None:
        """Close it."""

    async def send(self, message: EmailMessage, handing_over: HandingOver) -> str:
        """Send it to the one recipient in its `To`; returns what the other side said, for the log.

        Raises LaterError or NeverError (services/notifier/failures.py), or what `handing_over` raises.
        """
        ...

    def where(self) -> str:
        """Where mails go, for the line that says that the service is ready."""
        ...
