"""E-mail addresses and names as an identity provider tells them: what of them may go into a mail."""

import functools

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from contracts.session import MAX_ADDRESS_CHARACTERS, MAX_NAME_CHARACTERS

KEPT_ANSWERS = 4096
"""Checked addresses that are remembered: every request brings its own again."""

_OF_ONE_NETWORK = ("localhost", "local", "test")
"""Names that mean nothing to the world (RFC 6761, RFC 6762) nor to the library: `user@localhost` has a mailbox here."""
_SOMEWHERE = ".example"
_JOINERS = "\u200c\u200d"
"""Not printable by themselves, and a part of words in several scripts."""


class BadAddressError(ValueError):
    """It is no address, or no name; the message says why."""


def checked_address(text: str) -> str:
    """The address in its normal form, also one of an intranet. Raises BadAddressError.

    Whether anybody reads mail there is not asked.
    """
    found, made_up = _looked_at(text)
    return found.normalized.removesuffix(made_up)


def mailbox(text: str) -> tuple[str, str]:
    """What stands before the @, and the domain in ASCII, for mail programs and servers. Raises BadAddressError."""
    found, made_up = _looked_at(text)
    return found.local_part, (found.ascii_domain or found.domain).removesuffix(made_up)


def _looked_at(text: str) -> tuple[ValidatedEmail, str]:
    """What the library finds, and what its domain has more than the address."""
    if len(text) > MAX_ADDRESS_CHARACTERS:
        raise BadAddressError(f"it has more than {MAX_ADDRESS_CHARACTERS} characters")
    local = text.rpartition("@")[2].rpartition(".")[2].lower() in _OF_ONE_NETWORK
    made_up = _SOMEWHERE if local else ""
    try:
        found = validate_email(text + made_up, strict=True, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise BadAddressError(str(error)) from None
    return found, made_up


def checked_name(text: str) -> str:
    """The name without blanks around it. Raises BadAddressError."""
    name = text.strip()
    if not name or len(name) > MAX_NAME_CHARACTERS:
        raise BadAddressError(f"a name has 1 to {MAX_NAME_CHARACTERS} characters")
    if not all(character.isprintable() or character in _JOINERS for character in name):
        raise BadAddressError("the name contains control characters")
    return name


@functools.lru_cache(KEPT_ANSWERS)
def address_or_none(text: str) -> str | None:
    """The same for a text of somebody else's: None for what is no address."""
    try:
        return checked_address(text)
    except BadAddressError:
        return None


def name_or_none(text: str) -> str | None:
    """The name, or None if it is none."""
    try:
        return checked_name(text)
    except BadAddressError:
        return None
