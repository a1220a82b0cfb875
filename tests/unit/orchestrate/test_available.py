"""Which errors say "not now", and what a request is answered with then."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from kit.orchestrate.available import when_available
from kit.refusal import Refused
from kit.runlog.reads import LogUnavailableError


def wrapped(error: Exception) -> DBAPIError:
    """As SQLAlchemy raises what asyncpg said."""
    told = Exception(str(error))
    told.__cause__ = error
    return DBAPIError("SELECT 1", {}, told)


AWAY = [
    TimeoutError(),
    ConnectionRefusedError(),
    LogUnavailableError("the log answers 503"),
    asyncpg.CannotConnectNowError("the database system is starting up"),
    wrapped(asyncpg.CannotConnectNowError("the database system is starting up")),
    wrapped(asyncpg.TooManyConnectionsError("sorry")),
    DBAPIError("SELECT 1", {}, Exception(), connection_invalidated=True),
]
WRONG = [ValueError(), asyncpg.DataError("no such date"), wrapped(asyncpg.DataError("no such date"))]


@pytest.mark.parametrize("error", AWAY, ids=lambda error: f"{type(error).__name__} {error}"[:40])
async def test_what_is_away_may_be_asked_for_again(error: Exception) -> None:
    async def on_message(message: str) -> str:
        raise error

    with pytest.raises(Refused) as refused:
        await when_available(on_message)("x")
    assert refused.value.problem.code == "unavailable"


@pytest.mark.parametrize("error", [*WRONG, Refused("unknown_run", "None.")], ids=lambda error: type(error).__name__)
async def test_what_is_wrong_stays_wrong(error: Exception) -> None:
    async def on_message(message: str) -> str:
        raise error

    with pytest.raises(type(error)) as raised:
        await when_available(on_message)("x")
    assert raised.value is error


async def test_what_works_is_not_touched() -> None:
    async def on_message(message: str) -> str:
        """Say it twice."""
        return message * 2

    handler = when_available(on_message)
    assert await handler("x") == "xx"
    assert (handler.__name__, handler.__doc__) == ("on_message", "Say it twice.")
