"""What a mail server's refusal means.

It has a code of three digits (RFC 5321, 4.2), and often a second one of three parts (RFC 3463), which says more.
"""

import re
from typing import Literal

from services.notifier.failures import LaterError, NeverError
from services.notifier.mail.cleaning import one_line

Stage = Literal["MAIL", "RCPT", "DATA"]

SAID_CHARACTERS = 300
_ENHANCED = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")

PERMANENT = 500
SIGN_IN_FIRST = frozenset({530, 534, 535, 538})
"""The server wants a sign-in or TLS (RFC 4954): the operator mends that, and the mail goes out."""
NO_SUCH_MAILBOX = frozenset({550, 551, 553})
FULL = 552
BAD_ADDRESSES = frozenset({(1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (1, 6), (1, 9), (1, 10), (2, 1), (4, 1), (4, 4)})
"""Of the recipient: no such mailbox or host, moved, takes no mail, disabled; 4.1 is what Exchange says for the first.
1.7 and 1.8 are the sender's.
"""
MAILBOX_FULL = (2, 2)


def said(code: int, text: str) -> str:
    """What the server answered, on one line."""
    return one_line(f"{code} {text}", SAID_CHARACTERS)


def refusal(stage: Stage, code: int, text: str) -> LaterError | NeverError:
    """The error for an answer that is none of consent."""
    answer, detail = said(code, text), _detail(text)
    if code < PERMANENT:
        return LaterError("mail_refused_for_now", f"The mail server asks to wait: {answer}")
    if code in SIGN_IN_FIRST:
        return LaterError(
            "mail_refused_for_now", f"The mail server wants a sign-in that the operator has to set up: {answer}"
        )
    if stage != "MAIL" and (detail == MAILBOX_FULL or (stage == "RCPT" and code == FULL and detail is None)):
        return LaterError("mail_refused_for_now", f"The mailbox is full: {answer}")
    if stage != "MAIL" and _names_the_mailbox(stage, code, detail):
        return NeverError("address_refused", f"The mail server refuses this address: {answer}", target_is_bad=True)
    return NeverError("mail_refused", f"The mail server refuses this mail: {answer}")


def _detail(text: str) -> tuple[int, int] | None:
    """Subject and detail of the enhanced code, if there is one."""
    found = _ENHANCED.match(text)
    return (int(found[2]), int(found[3])) if found else None


def _names_the_mailbox(stage: Stage, code: int, detail: tuple[int, int] | None) -> bool:
    if detail is None or detail == (0, 0):
        return stage == "RCPT" and code in NO_SUCH_MAILBOX
    return detail in BAD_ADDRESSES
