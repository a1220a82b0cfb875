"""An e-mail: its headers, and its two bodies. Values in, a message out: no clock, no id is made here."""

import hashlib
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any, NamedTuple

from kit.notifier_settings import NotifierSettings
from services.notifier.content import Content
from services.notifier.failures import NeverError
from services.notifier.mail.addresses import address_of, reply_to_of, sender_of
from services.notifier.mail.headers import mail_policy
from services.notifier.mail.rendering import html_body, text_body
from services.notifier.mail.view import view_of

PRODUCT = "AI Studio"
MAX_PAGE_BYTES = 98_000
"""Gmail cuts a mail's HTML at 102 KB, and with it the link and the way to unsubscribe. Less is told instead."""
MIN_CHARACTERS = 1_000
"""It is not worth showing less than this."""
ASCII_SHARE = 0.8
"""A text with fewer ASCII characters is shorter in base64."""


class Recipient(NamedTuple):
    """To whom a mail goes."""

    email: str
    name: str | None


def compose(
    content: Content,
    to: Recipient,
    settings: NotifierSettings,
    *,
    message_id: str,
    link: str,
    unsubscribe: str | None,
) -> EmailMessage:
    """The mail that tells `content`; the same for the same values, to the byte.

    `message_id` is like `<dlv_…@host>`, `link` leads to the run, `unsubscribe` is what one click posts to (RFC 8058).
    Raises NeverError for an address that is none, and for nothing that a title or a text may contain.
    """
    sender, reply_to = sender_of(settings), reply_to_of(settings)
    try:
        recipient = address_of(to.email, to.name)
    except ValueError as error:
        raise NeverError("address_refused", str(error), target_is_bad=True) from error
    about: dict[str, Any] = {"link": link, "unsubscribe": unsubscribe, "name": sender.display_name or PRODUCT}
    view = view_of(content, settings.max_text_characters, **about)
    message = EmailMessage(policy=mail_policy())
    message["From"] = sender
    message["To"] = recipient
    if reply_to:
        message["Reply-To"] = reply_to
    message["Subject"] = view["subject"]
    message["Date"] = _with_zone(content.happened_at)
    if not message_id.isascii():  # its host is the sender's, as it stands in the settings
        message_id = f"{message_id.rpartition('@')[0]}@{sender.domain}>"
    message["Message-ID"] = message_id
    if view["unsubscribe"]:
        message["List-Unsubscribe"] = f"<{view['unsubscribe']}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    text, page = text_body(view), html_body(view)
    limit = settings.max_text_characters
    while limit and len(page.encode()) > MAX_PAGE_BYTES:  # every cell of a table has its style in its tag
        limit = limit // 2 if limit > MIN_CHARACTERS else 0
        page = html_body(view_of(content, limit, **about))
    message.set_content(text, cte=_encoding(text))
    message.add_alternative(page, subtype="html", cte=_encoding(page))
    # `=_` can stand in neither encoding: no text can end its part.
    message.set_boundary(f"=_{hashlib.sha256(message_id.encode()).hexdigest()[:32]}")
    return message


def _encoding(text: str) -> str:
    readable = sum(letter.isascii() for letter in text) >= ASCII_SHARE * len(text)
    return "quoted-printable" if readable else "base64"


def _with_zone(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
