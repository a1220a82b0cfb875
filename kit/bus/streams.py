"""Every JetStream stream and work-queue consumer, declared here and nowhere else."""

import asyncio
import json
import logging
from typing import Any

from nats.aio.client import Client

from contracts.subjects import (
    ALL_GENERATES,
    ALL_LIVE,
    ALL_LOGS,
    APPROVAL_REQUESTED,
    ARCHITECT_RUN_ENDED,
    ARCHITECT_TIME_IS_UP,
    CHAT_RUN_ENDED,
    COMPARE_RUN_ENDED,
    DELIVERIES,
    GENERATION_ENDED,
    SESSION_BEGUN,
    START_STEP,
    STREAM_SUBJECTS,
    stream_of,
)
from kit.bus.sign_in import BusError
from kit.settings import BusSettings

log = logging.getLogger(__name__)

DAY_SECONDS = 24 * 3600
NANOSECONDS = 1_000_000_000

EVENTS_AGE_SECONDS = 30 * DAY_SECONDS
DEAD_AGE_SECONDS = 90 * DAY_SECONDS
DEDUPLICATION_SECONDS = 120
MAX_MESSAGE_BYTES = 256 * 1024
"""Anything longer goes by reference (kit/bus/blobs.py)."""

LEASE_SECONDS = 6.0
"""A worker that shows no sign of life for so long has lost its work to the next one."""
BEAT_SECONDS = 2.0
"""How often a worker shows that it lives: two beats may be lost."""
MAX_WORK_IN_PROGRESS = 20_000
"""Requests all workers together may hold; it bounds what the server remembers, not how much can wait."""

HANDLER_ACK_WAIT_SECONDS = 8.0
"""A handler of a fact or an order that shows no sign of life for so long is started again elsewhere; so long a run
waits when its service dies.
"""
ORDERS_IN_PROGRESS = 500
"""Of one kind, in all replicas: so many that those which wait for a second try hold nobody up, and so few that what
waits in a replica for a free handler is begun before it is offered again.
"""

FACTS_IN_PROGRESS = 1000
"""The same of the facts of one kind that a service hears."""

INFERENCE_CONSUMER = "inference"
HANDLED_ORDERS = {START_STEP: "architect-steps", ARCHITECT_TIME_IS_UP: "architect-timers"}
"""Orders that a service's handlers carry out (kit/bus/broker.py), and the consumer that its replicas share. In a work
queue no two consumers may want the same message.
"""

HEARD_FACTS = {
    "chat-generation-ended": GENERATION_ENDED.format(outcome="*"),
    "compare-generation-ended": GENERATION_ENDED.format(outcome="*"),
    "architect-generation-ended": GENERATION_ENDED.format(outcome="*"),
    "notifier-chat-runs": CHAT_RUN_ENDED.format(outcome="*"),
    "notifier-compare-runs": COMPARE_RUN_ENDED.format(outcome="*"),
    "notifier-architect-runs": ARCHITECT_RUN_ENDED.format(outcome="*"),
    "notifier-approvals": APPROVAL_REQUESTED,
    "notifier-sessions": SESSION_BEGUN,
}
"""Facts that a service's handlers hear, by the consumer that its replicas share: `<service>-<name>`."""

_API_TIMEOUT_SECONDS = 5.0
_WAIT_FOR_JETSTREAM_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.25
_CONFLICTS = {10058}  # stream name already in use with another configuration
_NOT_YET = {10005}  # no server to place it on: those of a cluster that has just begun may count as offline
_BOUND = {10013}  # a consumer's deliveries are taken elsewhere at this moment: by a version before this table


def stream_configs(replicas: int) -> list[dict[str, Any]]:
    """The configuration of every stream, as the JetStream API takes it."""

    def stream(name: str, **extra: Any) -> dict[str, Any]:
        return {
            "name": name,
            "subjects": list(STREAM_SUBJECTS[name]),
            "storage": "file",
            "num_replicas": replicas,
            "max_msg_size": MAX_MESSAGE_BYTES,
            "duplicate_window": DEDUPLICATION_SECONDS * NANOSECONDS,
            "discard": "old",
            **extra,
        }

    return [
        # No max_age: age must never cut a run that is still going, for a lane without its last message has no fence.
        stream("RUNS", retention="limits", allow_direct=True, republish={"src": ALL_LOGS, "dest": ALL_LIVE}),
        stream("WORK", retention="workqueue", allow_direct=True),
        stream("EVENTS", retention="limits", max_age=EVENTS_AGE_SECONDS * NANOSECONDS, allow_direct=True),
        stream("DEAD", retention="limits", max_age=DEAD_AGE_SECONDS * NANOSECONDS),
        # A timer may wait for weeks and its message until it is handled, so there is no max_age here either. With
        # retention by interest nothing would wait at all: nobody listens to what is not due (measured on 2.15.1).
        stream("TIMERS", retention="workqueue", allow_direct=True, allow_msg_schedules=True),
    ]


def consumer_configs() -> list[tuple[str, dict[str, Any]]]:
    """Every consumer that a service's replicas share, with its stream."""
    inference = {
        "durable_name": INFERENCE_CONSUMER,
        "ack_policy": "explicit",
        "ack_wait": int(LEASE_SECONDS * NANOSECONDS),
        "max_deliver": -1,  # attempts are counted in the log: a deploy is not poison
        "max_ack_pending": MAX_WORK_IN_PROGRESS,
        "filter_subject": ALL_GENERATES,
    }
    orders = [_handled(subject, name, ORDERS_IN_PROGRESS) for subject, name in HANDLED_ORDERS.items()]
    facts = [_handled(subject, name, FACTS_IN_PROGRESS) for name, subject in HEARD_FACTS.items()]
    return [("WORK", inference), *orders, *facts]


def consumers_of(service: str) -> list[tuple[str, str]]:
    """The stream and the name of each consumer of a service."""
    declared = [(stream, str(config["durable_name"])) for stream, config in consumer_configs()]
    return [(stream, name) for stream, name in declared if name.partition("-")[0] == service]


def _handled(subject: str, name: str, in_progress: int) -> tuple[str, dict[str, Any]]:
    config = {
        "durable_name": name,
        "deliver_subject": DELIVERIES.format(consumer=name),
        "deliver_group": name,
        "ack_policy": "explicit",
        "ack_wait": int(HANDLER_ACK_WAIT_SECONDS * NANOSECONDS),
        "max_deliver": -1,  # kit/bus/redelivery.py counts
        "max_ack_pending": in_progress,
        "filter_subject": subject,
    }
    return str(stream_of(subject)), config


async def until_jetstream_answers(client: Client) -> None:
    """Wait for it, some time: a cluster that begins has no leader yet. Raises BusError."""
    await _ask(client, "STREAM.INFO.RUNS", {})


async def declare_streams(client: Client, replicas: int) -> None:
    """Create what is missing and bring what is there up to date. Safe to call from every service at once.

    Raises BusError if JetStream is off or refuses.
    """
    for config in stream_configs(replicas):
        name = config["name"]
        error = await _ask(client, f"STREAM.CREATE.{name}", config)
        if error and error["err_code"] in _CONFLICTS:
            error = await _ask(client, f"STREAM.UPDATE.{name}", config)
        if error:
            raise BusError(f"NATS refused the stream {name}: {error['description']}")
    for stream, config in consumer_configs():
        request = {"stream_name": stream, "config": config}
        error = await _ask(client, f"CONSUMER.DURABLE.CREATE.{stream}.{config['durable_name']}", request)
        if error and error["err_code"] not in _BOUND:
            raise BusError(f"NATS refused the consumer {config['durable_name']}: {error['description']}")


async def ready_streams(client: Client, settings: BusSettings, service: str) -> None:
    """Before a service takes messages: declare everything, or see that what it shares with its replicas is declared.

    Raises BusError.
    """
    if settings.declare:
        await declare_streams(client, settings.replicas)
        return
    deadline = asyncio.get_running_loop().time() + _WAIT_FOR_JETSTREAM_SECONDS
    for stream, name in consumers_of(service):
        while error := await _ask(client, f"CONSUMER.INFO.{stream}.{name}", {}):
            if asyncio.get_running_loop().time() > deadline:
                raise BusError(
                    f"the consumer {name} is not there ({error['description']}): "
                    "has `python -m services declare` been run?"
                )
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)


async def _ask(client: Client, call: str, request: dict[str, Any]) -> dict[str, Any] | None:
    """One call of the JetStream API; the error it answered with, or None. Waits for JetStream to come up."""
    deadline = asyncio.get_running_loop().time() + _WAIT_FOR_JETSTREAM_SECONDS
    while True:
        try:
            message = await client.request(
                f"$JS.API.{call}", json.dumps(request).encode(), timeout=_API_TIMEOUT_SECONDS
            )
            error: dict[str, Any] | None = json.loads(message.data).get("error")
            late = asyncio.get_running_loop().time() > deadline
            if error is None or (error["code"] != 503 and (late or error["err_code"] not in _NOT_YET)):
                return error
            problem = error["description"]
        except Exception as failure:  # no responders, timeout, reconnect
            problem = repr(failure)
        if asyncio.get_running_loop().time() > deadline:
            raise BusError(f"JetStream does not answer ({problem}). Is it enabled on the NATS server?")
        log.info("waiting for JetStream: %s", problem)
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
