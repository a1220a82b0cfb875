"""How long things may take on the way between a client and an edge. What the edge itself keeps to is read from it.

A stream lives in the log and an HTTP response is a cursor over it, so no limit below loses anything; each only says how
soon somebody who is gone is noticed, or how long an old edge is left to finish.
"""

from kit.runtime.process import stop_seconds
from kit.settings import EdgeSettings, Settings
from kit.telemetry.setup import FLUSH_SECONDS
from services.edge.server import KEEP_ALIVE_SECONDS as KEEP_ALIVE_SECONDS

HEARTBEAT_SECONDS = float(EdgeSettings.model_fields["heartbeat_seconds"].default)
"""Of silence, after which a stream gets a comment line."""

IDLE_SECONDS = 60
"""Of silence, after which the balancer closes a connection: several heartbeats, and less than the edge's own keep-alive
(KEEP_ALIVE_SECONDS), or the balancer would use a connection that the edge is just closing and answer 502."""

CLIENT_KEEP_ALIVE_SECONDS = 3600
"""The age at which the balancer lets go of a client's connection, after the response that is on it."""

DEREGISTRATION_SECONDS = 900
"""ECS takes an edge out of the balancer, waits so long, and only then sends SIGTERM. The edge is not told before, so
it asks (RETIREMENT_POLL_SECONDS): clients that resume by their cursor are sent to other edges at once. Those of other
protocols do not all resume by themselves: so long they have to finish, and what is open then is cut by the balancer."""

RETIREMENT_POLL_SECONDS = 10
"""How often an edge asks ECS whether it is being replaced (services/edge/retiring.py)."""

LONGEST_STOP_SECONDS = 120
"""Fargate's own limit."""


def stop_timeout_seconds(settings: Settings | None = None) -> int:
    """From SIGTERM to SIGKILL: the longest drain with its margin, sending the last spans, and some air."""
    needed = stop_seconds(settings or Settings()) + FLUSH_SECONDS
    return min(LONGEST_STOP_SECONDS, round(needed * 2))
