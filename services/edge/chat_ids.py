"""Chats under ids that clients make themselves: each owner has a name space of its own."""

import hashlib
import re
from datetime import datetime

from contracts.message import Owner
from kit.ids import RANDOM_BITS, id_at, new_id
from kit.refusal import Refused

MAX_ID_CHARACTERS = 255
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_OURS = re.compile(r"conv_[0-9a-hjkmnp-tv-z]{26}")
_LENGTH = 26
_MAX_MESSAGE_ID = 64


def is_ours(chat_id: str) -> bool:
    """Whether it has the form of a conversation's id that we made."""
    return _OURS.fullmatch(chat_id) is not None


def conversation_of(owner: Owner, chat_id: str | None) -> str:
    """The conversation of a client's chat: the one of that id, if it is of our form; otherwise always the same one for
    the same owner and id; without an id a new one. Raises Refused.
    """
    if not chat_id:
        return new_id("conv")
    if len(chat_id) > MAX_ID_CHARACTERS:
        raise Refused("invalid_id", f"The chat's id is longer than {MAX_ID_CHARACTERS} characters.")
    if is_ours(chat_id):
        return chat_id
    digest = int.from_bytes(_digest(owner.tenant, owner.user, chat_id))
    return f"conv_{''.join(_ALPHABET[(digest >> (5 * place)) & 31] for place in range(_LENGTH))}"


def conversation_made_of(owner: Owner, begun: datetime, *parts: str) -> str:
    """The conversation that is made of something else of the owner's: the same one for the same parts. It stands among
    the others where that has begun. Raises Refused.
    """
    digest = int.from_bytes(_digest(owner.tenant, owner.user, *parts))
    return id_at("conv", int(begun.timestamp() * 1000), digest % (1 << RANDOM_BITS))


def message_id_of(text: str | None) -> str | None:
    """A client's id of a message, as chat keeps it: one that is too long is kept as its digest. Raises Refused."""
    if not text or len(text) <= _MAX_MESSAGE_ID:
        return text or None
    return _digest(text).hex()


def made_id(prefix: str, *parts: str) -> str:
    """An id for a message that its client gave none: the same for the same parts. Raises Refused."""
    return f"{prefix}-{_digest(*parts).hex()[:32]}"


def _digest(*parts: str) -> bytes:
    try:
        return hashlib.sha256("\x00".join(parts).encode()).digest()
    except UnicodeEncodeError as error:
        raise Refused("invalid_text", "The request contains text that is not valid Unicode.") from error
