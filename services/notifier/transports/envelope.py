"""What a mail server is told of a mail: from whom, to whom, and its bytes."""

from email.message import EmailMessage
from typing import Any, NamedTuple


class Envelope(NamedTuple):
    """A mail that is ready to be sent. `utf8`: its address needs more than ASCII (RFC 6531)."""

    sender: str
    recipient: str
    utf8: bool
    data: bytes


def envelope_of(message: EmailMessage) -> Envelope:
    """The envelope of a mail; its lines end with CRLF, the last one too."""
    (sender,), (recipient,) = (message[name].addresses for name in ("From", "To"))
    utf8 = not recipient.addr_spec.isascii()
    policy: Any = message.policy
    return Envelope(sender.addr_spec, recipient.addr_spec, utf8, message.as_bytes(policy=policy.clone(utf8=utf8)))
