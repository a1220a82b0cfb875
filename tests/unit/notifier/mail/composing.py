"""Mails, composed with what matters to a test."""

import email
import email.policy
from email.message import EmailMessage
from typing import Any, cast

from kit.notifier_settings import NotifierSettings
from services.notifier.content import Content
from services.notifier.mail.message import Recipient, compose
from tests.mail_samples.contents import content

LINK = "https://studio.example.com/v1/runs/chat_1"
UNSUBSCRIBE = "https://studio.example.com/v1/notifications/unsubscribe/" + "q6n1v0" * 12


def composed(told: Content | None = None, **given: Any) -> EmailMessage:
    """A mail as it is made."""
    settings = NotifierSettings(
        **{"sender": "AI Studio <studio@example.com>", "max_text_characters": 2_000, **given.pop("settings", {})}
    )
    return compose(
        told or content(),
        given.pop("to", Recipient("ada@example.com", "Ada Lovelace")),
        settings,
        **{"message_id": "<dlv_1@example.com>", "link": LINK, "unsubscribe": UNSUBSCRIBE, **given},
    )


def read(raw: bytes) -> EmailMessage:
    """A mail as who gets it reads it."""
    return cast(EmailMessage, email.message_from_bytes(raw, policy=email.policy.default))


def bodies(message: EmailMessage) -> tuple[str, str]:
    """The text and the HTML, read from the bytes, with plain line ends."""
    text, page = (part.get_content().replace("\r\n", "\n") for part in read(message.as_bytes()).iter_parts())
    return text, page
