"""The one place where a FastStream broker is made, so that no handler relies on the framework's defaults.

FastStream's default ends a message at its first exception. Here a message is acknowledged after its handler's work is
done, tried again with growing delays, and parked under `dead.` when that does not help.
"""

import logging
from typing import Any

from faststream import BaseMiddleware
from faststream.middlewares import AckPolicy
from faststream.nats import JStream, NatsBroker
from nats.aio.client import Client
from nats.js.api import ConsumerConfig

from contracts.subjects import stream_of
from kit.bus.connection import Bus, connect_options
from kit.bus.redelivery import redelivery
from kit.bus.sign_in import SigningClient, sign_in_options
from kit.bus.streams import FACTS_IN_PROGRESS, HANDLED_ORDERS, HANDLER_ACK_WAIT_SECONDS
from kit.settings import BusSettings


class StreamsAreNamed(BaseMiddleware[Any, Any]):
    """Refuses a publish that would reach a stream without waiting for its acknowledgement."""

    async def publish_scope(self, call_next: Any, msg: Any) -> Any:
        """Let it through, or raise RuntimeError."""
        if stream_of(msg.destination) and not getattr(msg, "stream", None):
            raise RuntimeError(f"{msg.destination} belongs to a stream: publish it with kit.bus.publish")
        return await call_next(msg)


class _Broker(NatsBroker):
    """FastStream's broker on a client that signs in as our other connections do."""

    def __init__(self, settings: BusSettings, **options: Any) -> None:
        super().__init__(**options)
        self._settings = settings

    async def _connect(self) -> Client:
        connection = SigningClient()
        await connection.connect(**{**self._connection_kwargs, **sign_in_options(self._settings)})
        self.config.connect(connection)
        return connection


def make_broker(
    settings: BusSettings,
    name: str,
    bus: Bus,
    *,
    transient: tuple[type[BaseException], ...] = (),
    middlewares: tuple[Any, ...] = (),
) -> NatsBroker:
    """A broker for a service's handlers. `bus` is where its messages are parked; it must be connected before start."""
    return _Broker(
        settings,
        **connect_options(settings, f"{name} handlers"),
        ack_policy=AckPolicy.MANUAL,
        middlewares=(redelivery(bus.client, transient), StreamsAreNamed, *middlewares),
        graceful_timeout=5.0,
        logger=logging.getLogger(f"bus.{name}"),
        log_level=logging.DEBUG,
    )


def of_facts(service: str, name: str, workers: int) -> dict[str, Any]:
    """Subscriber options for facts: one durable consumer per service and name, shared by its replicas.

    It is declared with the streams (kit/bus/streams.py); one that is not, FastStream makes where it may.
    """
    return {
        "stream": JStream("EVENTS", declare=False),
        "queue": f"{service}-{name}",
        "max_workers": workers,
        "config": ConsumerConfig(ack_wait=HANDLER_ACK_WAIT_SECONDS, max_deliver=-1, max_ack_pending=FACTS_IN_PROGRESS),
    }


def of_work(subject: str, workers: int) -> dict[str, Any]:
    """Subscriber options for orders, timers among them: each is done by one of the replicas that share the consumer.

    The consumer itself is declared with the streams, so `declare_streams` comes before the broker's start.
    Raises KeyError for a subject whose orders no handler carries out.
    """
    return {
        "stream": JStream(str(stream_of(subject)), declare=False),
        "queue": HANDLED_ORDERS[subject],
        "max_workers": workers,
    }
