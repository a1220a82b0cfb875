"""Reads the facts that AI Studio publishes, one line each. A place to begin for analytics.

    pip install nats-py
    python subscriber.py                      # new facts of the stack that runs in ./.studio
    python subscriber.py --since 2h           # those of the last two hours first (s, m, h, d, or an ISO time)
    python subscriber.py --url nats://host:4222 --credentials analyst.creds

What facts there are, with their fields: docs/bus.md. New kinds of facts and new fields may appear at any time, so look
at what you know and ignore the rest. Reading changes nothing for anybody: this makes a consumer of its own, which
acknowledges nothing and is forgotten by the server when we are gone.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError, ServiceUnavailableError

STREAM, FACTS = "EVENTS", "evt.>"
BATCH = 100
WAIT_SECONDS = 5.0
"""For one batch. An empty one is also the moment to see whether our consumer is still there."""
CONNECT_SECONDS = 10.0
"""The first time; later it is tried for as long as it takes."""
FORGET_US_SECONDS = 60.0
RETRY_SECONDS = 1.0
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def local_url() -> str:
    """Where the local stack's NATS is, as the stack itself has noted it in its data directory."""
    state = Path(os.environ.get("STUDIO_DATA_DIR", ".studio")).expanduser() / "state.json"
    try:
        return str(json.loads(state.read_text(encoding="utf-8"))["nats_url"])
    except (OSError, ValueError, KeyError):
        raise SystemExit(f"no stack runs here ({state} is not there); give --url or set STUDIO_NATS_URL") from None


def moment(text: str) -> datetime:
    """'2h' is two hours ago; anything else is an ISO time, in UTC if it names no zone."""
    if match := re.fullmatch(r"(\d+)([smhd])", text):
        return datetime.now(UTC) - timedelta(**{UNITS[match[2]]: int(match[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither like 2h nor an ISO time") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def consumer(since: datetime | None, last: int | None) -> ConsumerConfig:
    """A consumer of our own that begins after fact number `last`, else at `since`, else with the next fact."""
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, inactive_threshold=FORGET_US_SECONDS)
    if last is not None:
        config.deliver_policy, config.opt_start_seq = DeliverPolicy.BY_START_SEQUENCE, last + 1
    elif since is not None:
        config.deliver_policy, config.opt_start_time = DeliverPolicy.BY_START_TIME, since
    else:
        config.deliver_policy = DeliverPolicy.NEW
    return config


async def facts(client: Client, since: datetime | None) -> AsyncIterator[Msg]:
    """Every fact, in order and without a gap: after an outage it goes on behind the last one."""
    stream = client.jetstream()
    last: int | None = None
    while True:
        try:
            subscription = await stream.pull_subscribe(FACTS, stream=STREAM, config=consumer(since, last))
            say("listening")
            while True:
                try:
                    batch = await subscription.fetch(BATCH, timeout=WAIT_SECONDS)
                except nats.errors.TimeoutError:
                    await subscription.consumer_info()
                    continue
                for message in batch:
                    last = message.metadata.sequence.stream
                    yield message
        except (NotFoundError, ServiceUnavailableError, Error) as error:
            say(f"{error!r}; trying again")
            await asyncio.sleep(RETRY_SECONDS)


def line(message: Msg) -> str:
    """One fact as a line: when, what, and its fields."""
    at = message.metadata.timestamp.isoformat(timespec="milliseconds")
    try:
        fields: Any = json.loads(message.data)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return f"{at} {message.subject} ({len(message.data)} bytes that are no JSON object)"
    told = " ".join(f"{name}={shown(value)}" for name, value in fields.items())
    return f"{at} {message.subject} {told}"


def shown(value: Any) -> str:
    """A value in a line; objects and lists as JSON."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def say(text: str) -> None:
    """To the person, not to the pipe."""
    print(f"# {text}", file=sys.stderr, flush=True)


async def connected(url: str, credentials: str | None) -> Client:
    """A connection that is kept up whatever happens. Ends the program if it cannot be made."""
    said = ""

    async def failed(error: Exception) -> None:
        nonlocal said
        if said != (said := repr(error)):  # each time it is something else
            say(f"NATS: {said}; trying again")

    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await nats.connect(
                url.split(","),
                name="subscriber example",
                user_credentials=credentials,
                max_reconnect_attempts=-1,
                error_cb=failed,
            )
    except (Error, OSError) as error:
        raise SystemExit(f"nobody lets us in at {url}: {said or repr(error)}") from None


async def print_facts(client: Client, since: datetime | None) -> None:
    """Until cancelled, or until nobody reads it any more."""
    try:
        async for message in facts(client, since):
            print(line(message), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left goes nowhere, at exit as well


async def main() -> None:
    """Print facts until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Print the facts that AI Studio publishes.")
    parser.add_argument("--url", default=os.environ.get("STUDIO_NATS_URL"), help="default: the stack that runs here")
    parser.add_argument("--credentials", help="a NATS credentials file")
    parser.add_argument("--since", type=moment, help="begin so long ago: 30s, 15m, 2h, 7d, or an ISO time")
    given = parser.parse_args()
    client = await connected(given.url or local_url(), given.credentials)
    printing = asyncio.create_task(print_facts(client, given.since))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, printing.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await printing
    await client.close()
    say("stopped")


if __name__ == "__main__":
    asyncio.run(main())
