"""Which stream a client gets for a run and a cursor: live, the tail, nothing more, a reset, or what is stored."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Response

from contracts import chat
from contracts.architect_values import AssistantRunStarted
from contracts.compare import ComparisonStarted
from contracts.ids import is_blind
from contracts.message import Request
from kit.auth.principal import Principal
from kit.refusal import Refused
from kit.runlog.blind import redact
from kit.runlog.cursor import Cursor, parse_cursor
from kit.runlog.follow import Follower
from kit.runlog.lane import RunKey
from kit.runlog.once import Newest, newest_event
from kit.runlog.reads import LogMessage
from services.edge.blindfold import Blindfold, is_hidden
from services.edge.gateway import Gateway, owner_of, run_key
from services.edge.orchestrators import serving
from services.edge.presence import Watching
from services.edge.stream import EventStream, Source
from services.edge.wires.wire import Wire

STORED_EPOCH = "stored"
"""The epoch of cursors of a run whose log is gone."""

GONE = "The cursor belongs to a log that no longer exists."
HALF_TOLD = "The replay broke off before every lane was told."

RUN_HEADER = "x-studio-run-id"
"""Of the responses of compatible routes: by it the native ones know what was started."""

Headers = Iterable[tuple[bytes, bytes]]
Started = chat.RunStarted | ComparisonStarted | AssistantRunStarted


@dataclass(frozen=True, slots=True)
class Watch:
    """Who watches, and how it is told to him."""

    caller: Principal
    wire: Wire
    headers: Callable[[Any], Headers] = lambda _: ()
    """Further headers of a response that begins a run, from what the command is answered with."""
    resume: Callable[[str], Cursor | None] | None = None
    """Which cursor the client has of a run, where only the run's id tells; instead of `cursor`."""
    again: Callable[[Any], Awaitable[Any]] | None = None
    """What to ask instead if the command had been sent before; None: nothing, that run is followed."""
    on_gone: Callable[[str], None] | None = None
    """Called with the run's id if the stream ends before the run does."""


async def begin_run(
    gateway: Gateway, watch: Watch, command: Request[Any], run_id: str, cursor: Cursor | None
) -> Response:
    """Start a run by a command that is answered with `Started`, and the response that carries it.

    If the command had started another one before, that is followed, from the cursor.
    Raises Refused, Unavailable, LogUnavailableError.
    """
    requested_at = asyncio.get_running_loop().time()
    key = run_key(watch.caller, run_id)
    follower = Follower(gateway.reads, key, after=0, buffer_bytes=gateway.settings.edge.client_buffer_bytes)
    try:
        await follower.start(fresh=True)  # before the run exists: its first event cannot be missed
        started: Started = await gateway.ask(command)
    except BaseException:
        await follower.close()
        raise
    headers = watch.headers(started)
    if watch.resume is not None:
        watch.resume(started.run_id)
    if started.run_id != run_id:  # sent before
        await follower.close()
        other = await watch.again(started) if watch.again is not None else None
        if other is not None:
            return await begin_run(gateway, replace(watch, again=None), other, other.run_id, cursor)
        return await follow_run(gateway, watch, started.run_id, cursor, headers)
    first = watch.wire.open(gateway.reads.epoch)
    source = Blindfold(follower) if is_blind(run_id) else follower
    return _stream(gateway, watch, key, source, first, headers, requested_at)


async def follow_run(
    gateway: Gateway, watch: Watch, run_id: str, cursor: Cursor | None, headers: Headers = ()
) -> Response:
    """The response to a request for a run's events. Raises Refused, Unavailable, LogUnavailableError."""
    key, wire, owner = run_key(watch.caller, run_id), watch.wire, owner_of(watch.caller)
    cursor = cursor if watch.resume is None else watch.resume(run_id)
    newest = _seen_here(gateway, key, cursor) or await newest_event(gateway.log_bus, key)
    if newest is None:
        stored: chat.StoredRun = await gateway.ask(serving(run_id).replay(owner=owner, run_id=run_id))
        if stored.run.status not in ("queued", "running"):
            hidden = is_blind(run_id) and not stored.run.revealed
            gateway.audience.saw(key)
            return _replay(stored, wire, cursor, headers, hidden=hidden)
        newest = Newest(sequence=0, ended=False)  # committed, and on its way to the bus
    after, reset = _position(cursor, gateway.reads.epoch, newest)
    if newest.ended and after >= newest.sequence:
        gateway.audience.saw(key)
        return Response(status_code=204)  # nothing is left: an EventSource stops reconnecting
    hidden = await is_hidden(gateway, owner, run_id, ended=newest.ended)
    buffer_bytes = gateway.settings.edge.client_buffer_bytes
    follower = Follower(
        gateway.reads, key, after=after, buffer_bytes=buffer_bytes, known=newest.sequence, whole=wire.whole
    )
    await follower.start()
    source = Blindfold(follower) if hidden else follower
    return _stream(gateway, watch, key, source, wire.open(gateway.reads.epoch, reset), headers)


def _seen_here(gateway: Gateway, key: RunKey, cursor: Cursor | None) -> Newest | None:
    """Where a run that goes on is, if a cursor lies so near that all behind it is known here."""
    recent = gateway.reads.live.recent(key)
    if recent is None or recent.ended or cursor is None or cursor.epoch != gateway.reads.epoch:
        return None
    if not (recent.covers(cursor.sequence) and 0 < cursor.sequence <= recent.newest):
        return None
    return Newest(recent.newest, ended=False)


def _stream(
    gateway: Gateway,
    watch: Watch,
    key: RunKey,
    source: Source,
    first: bytes,
    headers: Headers,
    requested_at: float | None = None,
) -> Response:
    on_gone = watch.on_gone
    return EventStream(
        source,
        gateway.expander,
        gateway.streams,
        wire=watch.wire,
        heartbeat_seconds=gateway.settings.edge.heartbeat_seconds,
        first=first,
        headers=headers,
        requested_at=requested_at,
        on_gone=None if on_gone is None else lambda: on_gone(key.run),
        watching=Watching(gateway.audience, key),
    )


def native_cursor(text: str | None) -> Cursor | None:
    """The cursor in a request. Raises Refused."""
    if not text:
        return None
    cursor = parse_cursor(text)
    if cursor is None:
        raise Refused("invalid_cursor", "Last-Event-ID (or ?after=) is not a cursor of ours.")
    return cursor


def _position(cursor: Cursor | None, epoch: str, newest: Newest) -> tuple[int, str]:
    """Where to go on, and why everything is told anew: the cursor is from another log.

    Or it is 0, which is the cursor in a replay until every lane is told (kit/runlog/replay.py).
    """
    if cursor is None:
        return 0, ""
    if cursor.epoch != epoch or cursor.sequence > newest.sequence:
        return 0, GONE
    return cursor.sequence, HALF_TOLD if cursor.sequence == 0 else ""


def _replay(stored: chat.StoredRun, wire: Wire, cursor: Cursor | None, headers: Headers, *, hidden: bool) -> Response:
    """The stored events of a run whose log is gone, with cursors of their own."""
    known = cursor is not None and cursor.epoch == STORED_EPOCH
    if cursor is not None and known and cursor.sequence >= len(stored.events):
        return Response(status_code=204)
    after = cursor.sequence if cursor is not None and known else 0
    told = stored_messages(stored)[after:]
    if hidden:
        told = [message for each in told if (message := redact(each)) is not None]
    reset = "" if cursor is None or after else HALF_TOLD if known else GONE
    first = wire.open(STORED_EPOCH, reset)
    body = first + wire.frames(told) + wire.ended()
    return Response(body, headers={name.decode(): value.decode() for name, value in (*wire.headers, *headers)})


def stored_messages(stored: chat.StoredRun) -> list[LogMessage]:
    """The events of a run whose log is gone, as if they were in it."""
    return [LogMessage(number, b"", event.encode()) for number, event in enumerate(stored.events, start=1)]
