"""Runs whose owners are away, while the notifier's processes are killed at random and every fact is told again.

Half of the runs are watched to their end: their owners get no mail. The others get one, in a real mail server. Of two
mails about one run both must be the same, and a kill must lie between the mail server's answer and the note that it
was sent: then nobody could know.
"""

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats

from kit.tasks import cancelled
from tests.chaos.check.verdict import Verdict
from tests.chaos.client.load import Load, Shape
from tests.chaos.client.user import User
from tests.chaos.client.watcher import Posting, Watcher
from tests.chaos.cluster.member import Member
from tests.chaos.model import counting
from tests.chaos.model.counting import Order
from tests.chaos.modes.session import Outcome, Session, session
from tests.chaos.options import Options
from tests.fixtures.mail_server import MailServer, mail_server
from tests.fixtures.polling import until

WORDS, RATE = (5, 60), (20.0, 60.0)
WAIT_SECONDS, BACK_SECONDS = (0.2, 2.0), (0.1, 1.0)
AGAIN_SECONDS = (0.1, 0.5)
ANSWER_SECONDS = (0.0, 0.03)
"""The mail server's, at the end of a mail: the longer, the more kills fall into the window."""
WINDOW_SECONDS = 0.5
"""From the arrival of a mail to the note that it was sent: the server's answer, and one write."""
DECIDED_SECONDS = 90.0
SETTINGS = {
    "STUDIO_NOTIFIER_EMAIL": "smtp",
    "STUDIO_NOTIFIER_GRACE_SECONDS": "2",
    "STUDIO_NOTIFIER_SWEEP_SECONDS": "0.1",
    "STUDIO_NOTIFIER_SEND_SECONDS": "4",
    "STUDIO_NOTIFIER_CLAIM_SECONDS": "5",
    "STUDIO_NOTIFIER_MAIL_RETRY_BASE_SECONDS": "0.2",
    "STUDIO_NOTIFIER_MAIL_RETRY_MAX_SECONDS": "1",
}


@dataclass
class Told:
    """One run, and what became of its notification."""

    address: str
    watched: bool
    verdict: Verdict
    user: User
    notification: dict[str, Any] = field(default_factory=dict)


async def run(options: Options, folder: Path, say: Callable[[str], None], *, most: int | None = None) -> Outcome:
    """`--count` runs, `--streams` at a time. `most`: so often each notifier is killed; none: all the time."""
    with mail_server() as mails:
        settings = {**SETTINGS, "STUDIO_NOTIFIER_SMTP_HOST": mails.host, "STUDIO_NOTIFIER_SMTP_PORT": str(mails.port)}
        async with session(options, folder, say, settings=settings) as now:
            load, found = now.load(Shape()), list[Told]()
            members = now.cluster.members["notifier"]
            mischief = [
                *(asyncio.create_task(_kill(now, member, most)) for member in members),
                asyncio.create_task(_tell_again(now)),
                asyncio.create_task(_answer_slowly(now, mails)),
            ]
            numbers = iter(range(options.many))
            try:
                async with asyncio.TaskGroup() as group:
                    for person in range(options.streams):
                        group.create_task(_person(now, load, numbers, person, found))
            finally:
                await cancelled(*mischief)
            _judge(now, found, mails)
            outcome = await now.finish()
        kills = [fault for fault in now.history.faults if fault.kind == "notifier"]
        twice = sum(count - 1 for count in Counter(mail.recipients for mail in mails.mails).values())
        outcome.tables.append(
            f"{len(found)} runs, {sum(told.watched for told in found)} of them watched; {len(mails.mails)} mails, of "
            f"which {twice} were sent again in doubt; {len(kills)} kills of notifier"
        )
        return outcome


async def _person(now: Session, load: Load, numbers: Any, person: int, found: list[Told]) -> None:
    for number in numbers:
        dice = random.Random(f"{now.options.seed}/notify/{number}")
        mark = f"n{number}"
        address = f"{mark}@chaos.test"
        user = User(now.cluster.http, now.cluster.edges, now.cluster.token(mark, address), dice, load.waits)
        told = Told(address, dice.random() < 0.5, Verdict(mark), user)
        found.append(told)
        order = Order(marker=mark, words=dice.randint(*WORDS), rate=round(dice.uniform(*RATE), 1))
        await _live(now, told, order, dice)
        load.verdicts.append(told.verdict)
        now.say(
            f"run {len(load.verdicts)} of {now.options.many}: {mark}, {'watched' if told.watched else 'away'}, "
            f"{told.notification.get('status', 'stuck')}"
        )


async def _live(now: Session, told: Told, order: Order, dice: random.Random) -> None:
    """From the question to the notification; who is away closes the tab as soon as the run has begun."""
    watcher = Watcher("watcher", told.user, dice, now.history.gaps.append, first_edge=dice.randrange(2))
    body = {"content": counting.message(order), "model": counting.PREFILL, "notify": "when_away"}
    path, key = "/v1/conversations/new/messages", f"key-{order.marker}"
    try:
        async with asyncio.timeout(order.seconds + DECIDED_SECONDS):
            if told.watched:
                watcher.posting = Posting(path, body, key)
                await watcher.watch()
                told.verdict.run_id = watcher.run_id.result()
            else:
                _, answer = await told.user.ask("POST", path, body, {"idempotency-key": key})
                told.verdict.run_id = answer["run_id"]
            told.verdict.outcome = "completed"
            while told.notification.get("status") not in ("sent", "not_sent", "failed"):
                await asyncio.sleep(0.1)
                page = await told.user.ask("GET", f"/v1/notifications?run_id={told.verdict.run_id}")
                told.notification = next(iter(page[1]["items"]), {})
    except TimeoutError:
        told.verdict.violated("stuck", f"its notification is not decided: {told.notification}")


def _judge(now: Session, found: list[Told], mails: MailServer) -> None:
    kills = [fault.began for fault in now.history.faults if fault.kind == "notifier"]
    for told in found:
        arrived, status = mails.to(told.address), told.notification.get("status")
        if told.watched:
            if arrived or status != "not_sent":
                told.verdict.violated("twice", f"somebody watched, and {len(arrived)} mails came ({status})")
            continue
        if not arrived or status != "sent":
            told.verdict.violated("lost", f"{len(arrived)} mails, and it is called {status}: {told.notification}")
        if len({mail.message["Message-ID"] for mail in arrived}) > 1:
            told.verdict.violated("twice", "two different mails about one run")
        for mail in arrived[:-1]:
            since = time.monotonic() - (time.time() - mail.at.timestamp())
            if not any(since - WINDOW_SECONDS / 5 <= kill <= since + WINDOW_SECONDS for kill in kills):
                told.verdict.violated("twice", f"sent again, and nobody was killed after it arrived at {since:.2f}")
        if arrived and told.verdict.run_id not in arrived[0].text():
            told.verdict.violated("shown", "the mail does not lead to its run")


async def _kill(now: Session, member: Member, most: int | None) -> None:
    """One process, again and again."""
    dice = random.Random(f"{now.options.seed}/kill/{member.name}")
    for _ in itertools.count() if most is None else range(most):
        await asyncio.sleep(dice.uniform(*WAIT_SECONDS))
        happened = now.history.began(member.kind, "kill", member.name, set())
        member.kill(dice.uniform(*BACK_SECONDS))
        await member.until_ready()
        happened.restored = happened.recovered = time.monotonic()


async def _tell_again(now: Session) -> None:
    """Say facts of the runs once more, without the id by which the bus would know them."""
    dice, client = random.Random(f"{now.options.seed}/again"), await nats.connect(now.cluster.nats_urls)
    heard: list[Any] = []

    async def hear(message: Any) -> None:
        heard.append(message)

    try:
        await client.subscribe("evt.chat.run.completed", cb=hear)
        while True:
            await asyncio.sleep(dice.uniform(*AGAIN_SECONDS))
            if heard:
                message = dice.choice(heard[-20:])
                with contextlib.suppress(nats.errors.Error):
                    await client.jetstream().publish(message.subject, message.data)
    finally:
        await client.close()


async def _answer_slowly(now: Session, mails: MailServer) -> None:
    """The next mail's end is answered after a while."""
    dice = random.Random(f"{now.options.seed}/slow")
    while True:
        count = len(mails.mails)
        mails.slow("DATA", dice.uniform(*ANSWER_SECONDS), times=1)

        async def another(before: int = count) -> bool:
            return len(mails.mails) > before

        await until(another, seconds=3600)
