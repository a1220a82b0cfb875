"""What became of a call: what its status, or the lack of one, means for the next attempt."""

from collections.abc import Mapping
from datetime import datetime

import aiohttp

from services.notifier.failures import LaterError, NeverError
from services.notifier.hooks.retry_after import retry_after_seconds

GONE = 410
ASKS_TO_WAIT = (429, 503)


def judge(status: int, headers: Mapping[str, str], now: datetime, longest_wait: float) -> None:
    """Raise what a status means, unless it is a success.

    Only 410 says that it will never work. Everything else, also that somebody is not found or may not, is what
    receivers say while they are being set up or mended; a redirect is one that has moved, and has to be told here.
    """
    if 200 <= status < 300:
        return
    if status == GONE:
        raise NeverError("webhook_gone", "The webhook says that it is gone (410).", target_is_bad=True)
    wait = retry_after_seconds(headers, now, longest_wait) if status in ASKS_TO_WAIT else None
    more = "; redirects are not followed" if 300 <= status < 400 else ""
    raise LaterError("webhook_status", f"The webhook answered with status {status}{more}.", wait)


def reason(error: Exception) -> str:
    """Why there was no answer, for people; nothing of what is inside of our network."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not trusted"
        case aiohttp.ClientSSLError():
            return "no TLS connection could be made"
        case aiohttp.ClientConnectorDNSError():
            return "its name is not known"
        case aiohttp.ClientConnectorError():
            return "nobody listens there"
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return "its answer is not HTTP"
        case _:
            return "the connection was lost"
