"""Publishing typed messages to streams."""

from contracts.message import Message
from kit.bus.api import MESSAGE_ID, publish_stored
from kit.bus.connection import Bus
from kit.telemetry import measures
from kit.telemetry.context import trace_headers
from kit.telemetry.spans import PRODUCER, span


async def publish(bus: Bus, message: Message) -> int:
    """Publish and wait until it is stored. Returns its sequence in the stream.

    Saying the same thing twice stores it once for two minutes, by the message's own id.
    Raises TimeoutError or kit.bus.api.JetStreamError.
    """
    subject, message_id = message.subject(), message.message_id()
    body = message.model_dump_json(exclude_none=True).encode()
    with span(f"{subject} publish", PRODUCER, subject=subject):
        headers = trace_headers()
        if message_id is not None:
            headers[MESSAGE_ID] = message_id
        sequence = await publish_stored(bus.client, subject, body, headers=headers)
    measures.sent(subject)
    return sequence
