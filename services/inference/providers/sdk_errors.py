"""Exceptions that come out of SDKs bare: those of the HTTP libraries under them, and of what cannot be decoded.

anthropic lets `httpx2.RemoteProtocolError` through in the middle of a stream, google-genai what aiohttp raises (both
measured). They are known by the library they come from, so that none has to be imported for it.
"""

import logging

from services.inference.providers.base import ProviderError
from services.inference.providers.connection import error_from_exception

logger = logging.getLogger(__name__)

TRANSPORTS = frozenset({"httpx2", "httpcore2", "httpx", "httpcore", "aiohttp", "urllib3", "h11", "anyio", "ssl"})


def bare_error(error: BaseException) -> ProviderError:
    """What an exception means that is none of the SDK's own."""
    kinds = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    if isinstance(error, OSError) or kinds & TRANSPORTS:
        return error_from_exception(error)
    logger.warning("an SDK could not read the answer: %s", type(error).__name__)
    return ProviderError(
        "provider_bad_response",
        "The model server sent something that cannot be understood. Try again.",
        retryable=True,
    )
