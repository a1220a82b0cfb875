"""Asking the edges whether somebody watches a run."""

import asyncio
import contextlib
import logging

from nats.errors import Error as NatsError
from pydantic import ValidationError

from contracts.message import Owner
from contracts.session import Presence
from contracts.subjects import PRESENCE
from kit.bus.connection import Bus

log = logging.getLogger(__name__)


class UnknownError(Exception):
    """Nobody has answered, and the bus has not said that nobody is there: an edge hangs, or the bus is away."""


class Watchers:
    """The request that edges answer for runs that somebody watches, or has seen to the end a moment ago."""

    def __init__(self, bus: Bus, timeout_seconds: float) -> None:
        self._bus, self._timeout = bus, timeout_seconds

    async def of(self, owner: Owner, run_id: str) -> Presence | None:
        """What the edges know together; None if none knows of anybody. Raises UnknownError.

        Every edge may answer, and the first answer need not be the one that has seen the end. So answers are gathered
        until one has, or the time is over. "No responders" is an answer at once.
        """
        subject = PRESENCE.format(tenant=owner.tenant, user=owner.user, run=run_id)
        client, found = self._bus.client, None
        inbox = client.new_inbox()
        answers = await client.subscribe(inbox)
        try:
            await client.publish(subject, b"", reply=inbox)
            deadline = _now() + self._timeout
            while (left := deadline - _now()) > 0:
                message = await answers.next_msg(timeout=left)
                if (message.headers or {}).get("Status") == "503":
                    return None
                found = _joined(found, Presence.model_validate_json(message.data))
                if found.seen:
                    break
        except (NatsError, TimeoutError, ValidationError) as error:
            log.debug("presence of %s: %r", run_id, error)
        finally:
            with contextlib.suppress(NatsError):
                await answers.unsubscribe()
        if found is None:
            raise UnknownError(f"nobody says whether somebody watches {run_id}")
        return found


def _joined(one: Presence | None, other: Presence) -> Presence:
    if one is None:
        return other
    return Presence(watching=one.watching + other.watching, seen=one.seen or other.seen)


def _now() -> float:
    return asyncio.get_running_loop().time()
