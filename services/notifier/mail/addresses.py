"""E-mail addresses: which can be written to, and how they stand in a header and in SMTP."""

import re
from email.headerregistry import Address
from email.utils import getaddresses

from email_validator import EmailNotValidError, validate_email

from kit.notifier_settings import NotifierSettings
from kit.runtime.errors import StartError
from services.notifier.mail.cleaning import one_line

NAME_CHARACTERS = 64
LOCAL_BYTES, DOMAIN_CHARACTERS = 64, 253
_ATOM = r"""[^\s\x00-\x20\x7f-\xa0()<>@,;:\\"\[\].]+"""
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SPECIAL = re.compile(r'[()<>\[\]:;@\\,"]|=\?')
"""Of a name in front of an address. Python's email library loses the quotes around them when a line gets too long."""


def address_of(email: str, name: str | None = None) -> Address:
    """An address for a header; its domain in ASCII. Raises ValueError with a sentence for people."""
    local, at, domain = email.strip().rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local.encode("utf-8", "replace")) > LOCAL_BYTES:
        raise ValueError(f"{one_line(email, 100)!r} is no e-mail address.")
    if one_line(local, LOCAL_BYTES) != local:
        raise ValueError("The e-mail address contains invisible characters.")
    return Address(header_name(name or ""), local, _ascii_domain(domain))


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


def _ascii_domain(domain: str) -> str:
    if not domain.isascii():
        try:
            found = validate_email(f"a@{domain}", check_deliverability=False).ascii_domain
        except EmailNotValidError as error:
            raise ValueError(str(error)) from error
        domain = found or ""
    if len(domain) > DOMAIN_CHARACTERS or not _DOMAIN.fullmatch(domain):
        raise ValueError("The part after the @ is no domain.")
    return domain
