"""A deploy and the way back: the release before and this one on one bus and one database, while people use them.

Both replicas of every service begin as the release before. The new code migrates the database under them; then every
process is replaced, first one of each pair, so that the two versions serve side by side, then the other. Then the same
backwards, on the database that the new one has left. In every phase some answers, a comparison and a run of an
assistant end, and every word of them is counted.
"""

import asyncio
import dataclasses
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import nats

from tests.chaos.check.report import table
from tests.chaos.client.load import Shape
from tests.chaos.cluster.release import CURRENT, Release, checked_out, one_before
from tests.chaos.cluster.services import ServiceMember
from tests.chaos.faults.history import Happened
from tests.chaos.faults.inject import Injector
from tests.chaos.modes.assistants import SETTINGS
from tests.chaos.modes.others import Others
from tests.chaos.modes.session import Goal, Outcome, Session, session
from tests.chaos.options import Options

SHAPE = Shape(words=(40, 200), rate=(10.0, 25.0), watchers=2)
PHASES = 6
LONGEST_PHASE_SECONDS = 300.0
POLL_SECONDS = 0.1


async def run(options: Options, folder: Path, say: Callable[[str], None], *, others: int = 2) -> Outcome:
    """`--minutes` are divided between the phases; deploys take their own time. `others`: of each kind beside chat."""
    before = checked_out(options.before or one_before(), folder / "before")
    say(f"N-1 is {before.name}: {', '.join(before.services)}")
    async with session(options, folder / "cluster", say, release=before, settings=SETTINGS) as now:
        load = now.load(dataclasses.replace(SHAPE, streams=options.streams))
        deploy = Deploy(now, Injector(now.cluster, load, now.history, say), 60 * options.minutes / PHASES)
        async with now.under(load), Others(now, load, others).going():
            await deploy.stay("N-1 alone")
            if code := await now.cluster.migrate(CURRENT):
                now.broken("migrate", "-", f"exit code {code}, see migrate.log")
            await deploy.stay("N-1 on the database of N")
            await deploy.replace(0, CURRENT, together=options.short)
            await deploy.stay("N-1 and N")
            if not options.short:
                await deploy.replace(1, CURRENT)
                await deploy.stay("N alone")
            back = await now.cluster.migrate(before)
            await deploy.replace(0, before, together=options.short)
            if not options.short:
                await deploy.stay("N and N-1, going back")
                await deploy.replace(1, before)
            await deploy.stay("N-1 again")
        await _given_up(now)
        outcome = await now.finish()
    ends = Counter(verdict.outcome or "stuck" for verdict in load.verdicts)
    outcome.tables.append(deploy.phases())
    outcome.tables.append(
        f"{before.name} and {CURRENT.name}; {len(load.verdicts)} runs: {dict(ends)}, "
        f"{sum(verdict.seams for verdict in load.verdicts)} seams. The model never fails."
    )
    outcome.goals.append(Goal("exit code of N-1's own migrate on the database of N", back, 1, ""))
    for verdict in load.verdicts:
        judged = verdict.marker.startswith("r")  # an assistant's steps fail on order
        if not judged and verdict.outcome not in ("completed", "") and not verdict.violations:
            now.broken("failed", verdict.run_id, f"it {verdict.outcome}")
    return outcome


class Deploy:
    """Puts one release in the place of the other, and waits in between."""

    def __init__(self, now: Session, injector: Injector, seconds: float) -> None:
        """`seconds`: the least that a phase lasts."""
        self._now, self._injector, self._seconds = now, injector, seconds
        self._rows: list[tuple[str, str, str]] = [("phase", "seconds", "runs that ended")]
        self._load = now.loads[0]

    async def replace(self, number: int, release: Release, *, together: bool = False) -> None:
        """One replica of each service, one after the other and with a wait for recovery, or all at once."""
        members = [members[number] for members in self._now.cluster.services.values()]
        if together:
            await asyncio.gather(*(self._replaced(member, release) for member in members))
            return
        for member in members:
            await self._injector.recovery(await self._replaced(member, release))

    async def stay(self, phase: str) -> None:
        """Until the time is over, everybody has got an answer, and something of every other kind has ended."""
        began, first = time.monotonic(), len(self._load.verdicts)
        wanted = {"p": self._load.shape.streams, "v": 1, "r": 1}  # by the first letter of their markers
        while True:
            await asyncio.sleep(POLL_SECONDS)
            ended = Counter(verdict.marker[0] for verdict in self._load.verdicts[first:])
            passed = time.monotonic() - began
            if passed >= self._seconds and all(ended[kind] >= count for kind, count in wanted.items()):
                break
            if passed > self._seconds + LONGEST_PHASE_SECONDS:
                self._now.broken("stuck", "-", f"{phase}: after {passed:.0f} s only {dict(ended)} have ended")
                break
        self._rows.append((phase, f"{passed:.0f}", str(ended.total())))
        self._now.say(f"{phase}: {ended.total()} runs ended in {passed:.0f} s")

    def phases(self) -> str:
        """How long each lasted, and what ended in it."""
        return table(self._rows)

    async def _replaced(self, member: ServiceMember, release: Release) -> Happened:
        happened = self._now.history.began(member.kind, "stop", member.name, self._load.running())
        await member.become(release)
        happened.restored = time.monotonic()
        return happened


async def _given_up(now: Session) -> None:
    """No version may put aside what the other one sends."""
    client = await nats.connect(now.cluster.nats_urls)
    try:
        info = await client.jetstream().stream_info("DEAD", subjects_filter=">")
    finally:
        await client.close()
    for subject, count in (info.state.subjects or {}).items():
        now.broken("dead", "-", f"{count} messages on {subject}")
