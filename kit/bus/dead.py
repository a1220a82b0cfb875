"""Messages that were given up: looking at them, putting them back, throwing them away."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nats.aio.client import Client
from nats.errors import Error

from contracts import subjects
from kit.bus.api import MESSAGE_ID, NO_MESSAGE, JetStreamError, parse_headers, publish_stored
from kit.bus.redelivery import DEAD_DELIVERIES, DEAD_PREFIX, DEAD_REASON

STREAM = "DEAD"
ANSWER_SECONDS = 5.0
_OF_THE_SERVER = "Nats-"
_PREFIX = subjects.DEAD.format(subject="")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message that was given up, `sequence` is its place in the stream of the dead."""

    sequence: int
    subject: str
    """Its own, without `dead.`."""
    headers: dict[str, str]
    data: bytes
    at: datetime

    @property
    def reason(self) -> str:
        """Why it was given up."""
        return self.headers.get(DEAD_REASON, "")

    @property
    def deliveries(self) -> str:
        """How often it was tried."""
        return self.headers.get(DEAD_DELIVERIES, "")


async def letters(client: Client, subject: str = ">") -> AsyncIterator[DeadLetter]:
    """Those with such a subject (wildcards allowed), oldest first. Raises JetStreamError, TimeoutError."""
    sequence = 0
    while (found := await _get(client, {"seq": sequence + 1, "next_by_subj": f"{_PREFIX}{subject}"})) is not None:
        sequence = found.sequence
        yield found


async def letter(client: Client, sequence: int) -> DeadLetter | None:
    """The one at that place; none: it is not there any more. Raises JetStreamError, TimeoutError."""
    return await _get(client, {"seq": sequence})


async def put_back(client: Client, dead: DeadLetter) -> None:
    """Publish it to its own subject again, then forget it. All who hear of that subject hear of it once more.

    Killed between the two, it is here still; done again within two minutes it is stored once. Raises JetStreamError
    (no stream takes it, or it is refused) and TimeoutError.
    """
    if subjects.stream_of(dead.subject) is None:
        raise JetStreamError(0, f"no stream keeps what is published to {dead.subject}")
    kept = {name: value for name, value in dead.headers.items() if not name.startswith((_OF_THE_SERVER, DEAD_PREFIX))}
    headers = {**kept, MESSAGE_ID: f"revived.{STREAM}.{dead.sequence}"}
    await publish_stored(client, dead.subject, dead.data, headers=headers)
    await drop(client, dead.sequence)


async def drop(client: Client, sequence: int) -> None:
    """Forget it. Raises JetStreamError, TimeoutError."""
    await _ask(client, "STREAM.MSG.DELETE", {"seq": sequence, "no_erase": True})


async def _get(client: Client, request: dict[str, Any]) -> DeadLetter | None:
    try:
        message = (await _ask(client, "STREAM.MSG.GET", request))["message"]
    except JetStreamError as error:
        if error.code == NO_MESSAGE:
            return None
        raise
    return DeadLetter(
        sequence=message["seq"],
        subject=message["subject"].removeprefix(_PREFIX),
        headers=parse_headers(b64decode(message.get("hdrs", ""))),
        data=b64decode(message.get("data", "")),
        at=datetime.fromisoformat(message["time"]),
    )


async def _ask(client: Client, call: str, request: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = await client.request(f"$JS.API.{call}.{STREAM}", json.dumps(request).encode(), timeout=ANSWER_SECONDS)
    except Error as error:
        raise TimeoutError(f"JetStream does not answer: {type(error).__name__}") from None
    body: dict[str, Any] = json.loads(answer.data)
    if refused := body.get("error"):
        raise JetStreamError(refused["err_code"], refused["description"])
    return body
