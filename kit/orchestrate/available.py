"""Saying "not now" instead of "something is wrong" when the database or the log is away: the request may come again."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from kit.db.database import is_unavailable
from kit.refusal import Refused
from kit.runlog.reads import LogUnavailableError

R = TypeVar("R")

NOT_NOW = "This cannot be done at the moment. Try again."


def when_available(handler: Callable[[Any], Awaitable[R]]) -> Callable[[Any], Awaitable[R]]:
    """The same handler; what it needs and does not reach is a refusal."""

    @functools.wraps(handler)
    async def handled(message: Any) -> R:
        try:
            return await handler(message)
        except Exception as error:
            if is_away(error):
                raise Refused("unavailable", NOT_NOW) from error
            raise

    return handled


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database or the bus is away, and not that something is wrong."""
    return is_unavailable(error) or isinstance(error, LogUnavailableError)
