"""Which URLs a webhook may have. Pure: no name is looked up here, that is checked when it is connected to."""

import ipaddress
import re
import unicodedata

from yarl import URL

from contracts.notifier import MAX_URL_CHARACTERS
from kit.refusal import Refused
from services.notifier.hooks.addresses import is_public

MAX_NAME_CHARACTERS = 253
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label like this makes the whole name a number (WHATWG URL 3.5), in one of many spellings of an address."""
_LOCAL = ("localhost", "localdomain", "local", "internal", "intranet", "lan", "home.arpa")


def checked(url: str, *, allow_private: bool) -> str:
    """The URL as it is called: in ASCII, with its name in lower case. Raises Refused with `invalid_webhook`.

    The same parser reads it here and when it is called, so both mean the same host.
    """
    authority = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]
    if any(letter == "\\" or unicodedata.category(letter)[0] in "CZ" for letter in url):
        raise _refused("It must not contain blanks, backslashes or control characters.")
    if "@" in authority:
        raise _refused("It must not contain a user name or a password.")
    if "#" in url:
        raise _refused("It must not have a fragment (#…).")
    try:
        parsed = URL(url)
        text, host, port = str(parsed), parsed.raw_host or "", parsed.port
    except ValueError as error:
        raise _refused("It cannot be read as a URL.") from error
    if parsed.scheme != "https" and not (allow_private and parsed.scheme == "http"):
        raise _refused("It must begin with https://.")
    if not host or port == 0 or ("[" in authority and ":" not in host):
        raise _refused("It needs a host, and a port that exists if it names one.")
    if len(text) > MAX_URL_CHARACTERS:
        raise _refused(f"It is longer than {MAX_URL_CHARACTERS} characters, written in ASCII.")
    _check_host(host, allow_private=allow_private)
    return text


def _check_host(host: str, *, allow_private: bool) -> None:
    if ":" in host:
        _check_address(host, allow_private=allow_private)
        return
    name = host.removesuffix(".")
    labels = name.split(".")
    if len(name) > MAX_NAME_CHARACTERS or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused("Its host is not a valid name.")
    if _NUMBER.fullmatch(labels[-1]):
        _check_address(host, allow_private=allow_private)
    elif not allow_private and (len(labels) == 1 or f".{name}".endswith(tuple(f".{local}" for local in _LOCAL))):
        raise _refused("Its host is a name of a local network; it must be public.")


def _check_address(host: str, *, allow_private: bool) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise _refused("Its host is a number; write the address as 192.0.2.1 or [2001:db8::1], or a name.") from error
    if not (allow_private or is_public(host)):
        raise _refused("Its host is not a public address (see STUDIO_NOTIFIER_HOOKS_ALLOW_PRIVATE).")


def _refused(why: str) -> Refused:
    return Refused("invalid_webhook", f"This URL cannot be a webhook. {why}")
