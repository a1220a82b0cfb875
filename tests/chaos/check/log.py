"""Reading the whole run log straight from NATS: the log itself keeps the promises, whatever an edge shows of it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import nats
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from kit.bus.blobs import BUCKET
from tests.assistants.order import Order
from tests.chaos.check.verdict import Violation
from tests.chaos.client.sse import Frame
from tests.chaos.client.view import View

STREAM = "RUNS"
LOG_SUBJECTS = "log.>"
SNAPSHOT_SUFFIX = "~s"
MESSAGE_SECONDS = 20.0
TEXTS = ("text", "reasoning")
MESSAGE_ID, SEQUENCE = "Nats-Msg-Id", "sequence"


@dataclass
class Written:
    """What the log has of one run."""

    view: View = field(default_factory=View)
    attempts: dict[str, list[int]] = field(default_factory=dict)
    """By lane: of each message that names one, in the order of the log."""
    ids: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    snapshots: list[str] = field(default_factory=list)
    order: Order | None = None
    """Of the steps, where it is the run of an assistant."""

    def take(self, message: Msg, event: dict[str, Any]) -> None:
        """One stored message, and the event in it with whole texts."""
        lane = message.subject.rsplit(".", 1)[1]
        if lane.endswith(SNAPSHOT_SUFFIX):
            self.snapshots.append(str(event.get("text") or ""))
            return
        sequence = message.metadata.sequence.stream
        self.view.show(Frame(f"log-{sequence}", str(event["type"]), event))
        if self.order is not None:
            self.order.take(str(event["type"]), event)
        identity = (message.headers or {}).get(MESSAGE_ID, "")
        if identity in self.ids:
            self.problems.append(f"the message {identity} is there twice")
        if identity:
            self.ids.add(identity)
        attempt = attempt_of(identity, lane)
        if attempt is None:
            return
        attempts = self.attempts.setdefault(lane, [])
        if attempts and attempt < attempts[-1]:
            self.problems.append(f"{identity} at {sequence} comes after attempt {attempts[-1]}: a zombie wrote")
        attempts.append(attempt)


def attempt_of(identity: str, lane: str) -> int | None:
    """The attempt in the id of a worker's message, `<run>.<lane>.<attempt>….<number>`; None: not a worker's."""
    parts = identity.split(".")
    attempt = re.match(r"\d+", parts[2]) if len(parts) > 3 and parts[1] == lane else None
    return int(attempt[0]) if attempt else None


async def read_log(urls: Sequence[str], subject: str = LOG_SUBJECTS) -> dict[str, Written]:
    """Every run in the log, by its id."""
    found: dict[str, Written] = {}
    client = await nats.connect(list(urls))
    try:
        jetstream = client.jetstream()
        info = await jetstream.stream_info(STREAM, subjects_filter=subject)
        left = sum((info.state.subjects or {}).values())
        subscription = await jetstream.subscribe(subject, stream=STREAM, ordered_consumer=True)
        while left > 0:
            message = await subscription.next_msg(timeout=MESSAGE_SECONDS)
            event = await _whole(jetstream, json.loads(message.data))
            run_id = message.subject.split(".")[3]
            if run_id not in found:
                found[run_id] = Written(order=Order() if run_id.startswith("arc_") else None)
            found[run_id].take(message, event)
            left = min(left - 1, message.metadata.num_pending)
        await subscription.unsubscribe()
    finally:
        await client.close()
    return found


async def _whole(jetstream: JetStreamContext, event: dict[str, Any]) -> dict[str, Any]:
    """The event with the texts that it carries by reference."""
    for name in TEXTS:
        if reference := event.get(f"{name}_ref"):
            kept = await (await jetstream.object_store(BUCKET)).get(reference)
            event[name] = (kept.data or b"").decode()
    return event


def violations(found: dict[str, Written]) -> list[Violation]:
    """What the log should not have; every run in it must have ended."""
    told: list[Violation] = []
    for run_id, written in found.items():
        view = written.view
        problems = [*view.problems, *written.problems, *(written.order.whole() if written.order else ())]
        if not view.run_ending:
            problems.append("it has no ending")
        problems += [f"lane {name} has no ending" for name, lane in view.lanes.items() if not lane.ending]
        texts = {lane.text for lane in view.lanes.values()} | {t for lane in view.lanes.values() for t in lane.dropped}
        for snapshot in written.snapshots:
            if not any(text.startswith(snapshot) for text in texts):
                problems.append(f"a snapshot is no beginning of the answer: …{snapshot[-80:]!r}")
        told += [Violation("log", run_id, problem) for problem in problems]
    return told
