"""The JetStream calls that nats-py has no helper for: direct reads, and publishing with an expectation."""

import asyncio
import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from kit.bus.connection import Bus

PUBLISH_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 5.0
READ_TRY_SECONDS = 1.0
PUBLISH_TRY_SECONDS = 2.0
"""What reaches a leader that dies, or replicas without one, is never answered: who waits for that answer misses the
next leader. An acknowledgement may take longer under load, and a repetition adds to it.
"""
RETRY_PAUSE_SECONDS = 0.1

MESSAGE_ID = "Nats-Msg-Id"
EXPECTED_LAST = "Nats-Expected-Last-Subject-Sequence"

WRONG_LAST_SEQUENCE = 10071
STILL_IN_PROCESS = frozenset({10158, 10164})
NO_MESSAGE = 10037
_UNAVAILABLE = 503


class JetStreamError(Exception):
    """JetStream refused; `code` is its own error code."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} ({code})")
        self.code = code


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message as a stream keeps it."""

    sequence: int
    subject: str
    headers: Mapping[str, str]
    data: bytes


async def publish_stored(
    client: Client,
    subject: str,
    payload: bytes,
    *,
    headers: Mapping[str, str] | None = None,
    timeout: float = PUBLISH_TIMEOUT_SECONDS,
) -> int:
    """Publish and wait until a stream has stored it. Returns its sequence.

    Waits through a lost leader or connection until the timeout, and repeats what was not answered: give it a message id
    or an expectation, otherwise it may be stored twice.
    Raises JetStreamError if it is refused, TimeoutError if nobody answered in time.
    """
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise TimeoutError(f"{subject} was not stored within {timeout:g} s")
        try:
            answer = await client.request(
                subject, payload, timeout=min(left, PUBLISH_TRY_SECONDS), headers=dict(headers or {})
            )
        except (NoRespondersError, NatsTimeoutError):
            await asyncio.sleep(min(RETRY_PAUSE_SECONDS, max(left, 0)))
            continue
        body = json.loads(answer.data)
        error = body.get("error")
        if error is None:
            return int(body["seq"])
        if error["err_code"] in STILL_IN_PROCESS or error["code"] == 503:
            await asyncio.sleep(RETRY_PAUSE_SECONDS)
            continue
        raise JetStreamError(error["err_code"], error["description"])


async def last_message(
    bus: Bus, stream: str, subject: str, *, timeout: float = READ_TIMEOUT_SECONDS
) -> StoredMessage | None:
    """The newest message of a subject (wildcards allowed), as the stream's leader knows it.

    A direct get may be answered by a follower that lags. Where there are none it is as true, and costs the server a
    third. Raises TimeoutError, JetStreamError.
    """
    return await _message(bus, stream, {"last_by_subj": subject}, timeout)


async def next_message(
    bus: Bus, stream: str, subject: str, start: int, *, timeout: float = READ_TIMEOUT_SECONDS
) -> StoredMessage | None:
    """The first message of a subject from sequence `start` on, as the stream's leader knows it.

    One message costs one request: for a stream's consumer a service would need the right to have messages delivered
    to any subject. Raises TimeoutError, JetStreamError.
    """
    return await _message(bus, stream, {"seq": start, "next_by_subj": subject}, timeout)


async def _message(bus: Bus, stream: str, wanted: dict[str, str | int], timeout: float) -> StoredMessage | None:
    call = "STREAM.MSG.GET" if bus.replicated else "DIRECT.GET"
    request = json.dumps(wanted).encode()
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise TimeoutError(f"the stream {stream} did not answer within {timeout:g} s")
        try:
            answer = await bus.client.request(f"$JS.API.{call}.{stream}", request, timeout=min(left, READ_TRY_SECONDS))
        except (NoRespondersError, NatsTimeoutError):
            await asyncio.sleep(min(RETRY_PAUSE_SECONDS, max(left, 0)))
            continue
        try:
            return _from_leader(answer.data) if bus.replicated else _from_direct_get(answer)
        except JetStreamError as error:
            if error.code != _UNAVAILABLE:
                raise
        await asyncio.sleep(RETRY_PAUSE_SECONDS)


def _from_direct_get(answer: Msg) -> StoredMessage | None:
    headers = answer.headers or {}
    status = headers.get("Status")
    if status is None:
        return StoredMessage(int(headers["Nats-Sequence"]), headers["Nats-Subject"], headers, answer.data)
    if status == "404":
        return None
    raise JetStreamError(int(status), headers.get("Description", "the direct get failed"))


def _from_leader(data: bytes) -> StoredMessage | None:
    body = json.loads(data)
    error = body.get("error")
    if error is None:
        return _stored(body["message"])
    if error["err_code"] == NO_MESSAGE:
        return None
    raise JetStreamError(_UNAVAILABLE if error["code"] == _UNAVAILABLE else error["err_code"], error["description"])


def _stored(message: dict[str, str | int]) -> StoredMessage:
    return StoredMessage(
        sequence=int(message["seq"]),
        subject=str(message["subject"]),
        headers=parse_headers(b64decode(str(message.get("hdrs", "")))),
        data=b64decode(str(message.get("data", ""))),
    )


def parse_headers(block: bytes) -> dict[str, str]:
    """The fields of a raw NATS header block."""
    fields = {}
    for line in block.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            fields[name.decode()] = value.strip().decode()
    return fields
