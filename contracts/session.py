"""What the edge tells of who signs in."""

from typing import ClassVar

from pydantic import Field

from contracts import subjects
from contracts.message import Message, Owner, Value

MAX_ADDRESS_CHARACTERS = 254
"""Of an e-mail address (RFC 5321, 4.5.3.1.3)."""
MAX_NAME_CHARACTERS = 200


class SessionBegunFact(Message):
    """Somebody has signed in who has a verified e-mail address. Told again now and then while the session lasts.

    Of two facts about one user the one with the later `at` holds.
    """

    SUBJECT: ClassVar[str] = subjects.SESSION_BEGUN
    owner: Owner
    email: str = Field(max_length=MAX_ADDRESS_CHARACTERS, description="verified by who signed the user in")
    name: str | None = Field(None, max_length=MAX_NAME_CHARACTERS, description="to address the user by")
    at: int = Field(description="Unix milliseconds")

    def message_id(self) -> str:
        """Once per moment and user."""
        return f"session.{self.owner.tenant}.{self.owner.user}.{self.at}"


class Presence(Value):
    """What an edge answers on `control.presence.<tenant>.<user>.<run>`."""

    watching: int = Field(description="streams of this run that are open there")
    seen: bool = Field(False, description="the run's end has reached a client of that edge")
