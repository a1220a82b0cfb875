"""What notifier tells everybody on the bus. Facts carry no address and no text."""

from typing import ClassVar, Literal

from contracts import subjects
from contracts.ids import Id, RunId
from contracts.message import Message, Owner
from contracts.notify import Channel, Occasion


class NotificationEndedFact(Message):
    """A notification reached its channel, was given up, or is not sent; of one that is not sent there is no channel."""

    SUBJECT: ClassVar[str] = subjects.NOTIFICATION_ENDED
    outcome: Literal["sent", "failed", "not_sent"]
    owner: Owner
    notification_id: Id
    run_id: RunId
    occasion: Occasion
    channel: Channel | None = None
    delivery_id: Id | None = None
    attempts: int = 0
    reason: str | None = None

    def message_id(self) -> str:
        """Once per delivery and number of attempts: one that was given up may be sent later."""
        return f"notification.{self.delivery_id or self.notification_id}.{self.outcome}.{self.attempts}"
