"""Taking a whole run out of the log."""

import json

from contracts.ids import is_id
from kit.bus.api import JetStreamError
from kit.bus.connection import Bus
from kit.runlog.lane import RunKey
from kit.runlog.reads import STREAM

TIMEOUT_SECONDS = 10.0
"""A purge by subject costs the server up to 50 ms, in which it stores nothing: callers pace themselves."""


async def purge_run(bus: Bus, key: RunKey) -> int:
    """Remove every lane of a run; returns how many messages that were. Doing it twice is no harm.

    The lanes have no fence afterwards: a writer that expects an empty lane is let in. So only runs that have ended.
    Raises TimeoutError, nats.errors.Error if nobody answers, JetStreamError, ValueError for a key that is none.
    """
    check_key(key)
    request = json.dumps({"filter": key.all_lanes}).encode()
    answer = await bus.client.request(f"$JS.API.STREAM.PURGE.{STREAM}", request, timeout=TIMEOUT_SECONDS)
    body = json.loads(answer.data)
    if error := body.get("error"):
        raise JetStreamError(error["err_code"], error["description"])
    return int(body["purged"])


def check_key(key: RunKey) -> None:
    """Raises ValueError for a key that is none: a wildcard would purge other people's runs."""
    for token in (key.tenant, key.user, key.run):
        if not is_id(token):
            raise ValueError(f"{token!r} is no part of a run's key")
