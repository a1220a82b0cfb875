"""A service says whether it is well: what the health checks of containers ask, of every service in the same words.

Nothing is imported here but what the question needs: each check is a Python of its own, every few seconds.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from contracts import subjects
from contracts.message import Problem, Reply

if TYPE_CHECKING:
    from faststream.nats import NatsBroker

log = logging.getLogger(__name__)

HEALTH = "health"


def health_subject(service: str) -> str:
    """Where a service is asked whether it is well."""
    return subjects.RPC.format(service=service, verb=HEALTH)


def answer_health(broker: "NatsBroker", service: str, look: Callable[[], Awaitable[object]]) -> None:
    """Answer `rpc.<service>.health`. `look` raises when something is away that the service cannot work without."""

    async def health(_: Any) -> Reply[Any]:
        try:
            await look()
        except Exception as error:
            log.warning("not well: %r", error)
            return Reply(problem=Problem(code="unavailable", message=str(error) or type(error).__name__))
        return Reply(result={})

    broker.subscriber(health_subject(service), queue=service, include_in_schema=False)(health)
