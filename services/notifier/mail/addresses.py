"""E-mail addresses: which can be written to, and how they stand in a header and in SMTP."""

import re
from email.headerregistry import Address
from email.utils import getaddresses

from kit.auth.address import mailbox
from kit.notifier_settings import NotifierSettings
from kit.runtime.errors import StartError
from services.notifier.mail.cleaning import one_line

NAME_CHARACTERS = 64
_SPECIAL = re.compile(r'[()<>\[\]:;@\\,"]|=\?')
"""Of a name in front of an address. Python's email library loses the quotes around them when a line gets too long."""


def address_of(email: str, name: str | None = None) -> Address:
    """An address for a header; its domain in ASCII. Raises ValueError with a sentence for people."""
    return Address(header_name(name or ""), *mailbox(email.strip()))


def header_name(name: str) -> str:
    """A name as it may stand in front of an address: one line without what has a meaning there."""
    return " ".join(_SPECIAL.sub(" ", one_line(name, NAME_CHARACTERS)).split())


def sender_of(settings: NotifierSettings) -> Address:
    """Who every e-mail is from. Raises ValueError."""
    return _one_mailbox(settings.sender)


def reply_to_of(settings: NotifierSettings) -> Address | None:
    """Where answers go, if not to the sender. Raises ValueError."""
    return _one_mailbox(settings.reply_to) if settings.reply_to.strip() else None


def check_sender(settings: NotifierSettings) -> None:
    """Raises StartError if no e-mail can be sent from the settings' addresses."""
    for name, look in (("SENDER", sender_of), ("REPLY_TO", reply_to_of)):
        try:
            look(settings)
        except ValueError as error:
            raise StartError(
                f"STUDIO_NOTIFIER_{name} cannot be used: {error} Give one address, with a name or without: "
                "AI Studio <ai-studio@example.com>"
            ) from error


def _one_mailbox(text: str) -> Address:
    if any(ord(letter) < ord(" ") for letter in text):
        raise ValueError("It contains control characters.")
    found = getaddresses([text])
    if len(found) != 1:
        raise ValueError("It is not exactly one address.")
    name, email = found[0]
    address = address_of(email, name)
    if not address.addr_spec.isascii():
        raise ValueError("The part before the @ has letters that not every mail server takes.")
    return address
