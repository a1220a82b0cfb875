"""One comparison with everybody who watches it, from the question to what is stored of it."""

import asyncio
import random

from tests.chaos.check.verdict import Verdict
from tests.chaos.client.user import User
from tests.chaos.client.view import Lane
from tests.chaos.client.watcher import Posting, Watcher
from tests.chaos.faults.history import History
from tests.chaos.model import counting
from tests.chaos.model.counting import Order

BOUND_SECONDS = 90.0
WATCHERS = 2
PATH = "/v1/comparisons"


class ComparisonStream:
    """Asks all models the same, watches with several watchers, and judges."""

    def __init__(self, order: Order, user: User, rng: random.Random, history: History) -> None:
        self.order, self.user = order, user
        self.verdict = Verdict(order.marker, model=" ".join(counting.MODELS))
        dice = random.Random(f"{rng.random()}/comparison")
        note = history.gaps.append
        self.watchers = [
            Watcher(f"watcher {number}", user, random.Random(dice.random()), note, first_edge=number)
            for number in range(WATCHERS + 1)
        ]
        body = {"prompt": counting.message(order), "models": list(counting.MODELS)}
        self.watchers[0].posting = Posting(PATH, body, f"key-{order.marker}")
        self._bound = order.seconds + BOUND_SECONDS

    async def live(self) -> Verdict:
        """From the question to the verdict."""
        first, *others, reload = self.watchers
        try:
            async with asyncio.timeout(self._bound), asyncio.TaskGroup() as group:
                group.create_task(first.watch())
                for watcher in others:
                    group.create_task(self._join(watcher))
            await self._join(reload)
        except TimeoutError:
            self.verdict.stuck = True
            lanes = {name: lane.ending or len(lane.text) for name, lane in first.view.lanes.items()}
            self.verdict.violated("stuck", f"not over after {self._bound:.0f} s: {lanes}")
        await self._judge(first)
        return self.verdict

    async def _join(self, watcher: Watcher) -> None:
        watcher.run_id.set_result(await asyncio.shield(self.watchers[0].run_id))
        await watcher.watch()

    async def _judge(self, first: Watcher) -> None:
        self.verdict.run_id = first.run_id.result() if first.run_id.done() else ""
        self.verdict.outcome = first.view.run_ending.removeprefix("run.")
        self.verdict.reconnects = sum(watcher.connections - 1 for watcher in self.watchers if watcher.connections)
        for watcher in self.watchers:
            for problem in watcher.view.problems:
                self.verdict.violated("shown", f"{watcher.name}: {problem}")
            if len(watcher.view.lanes) != len(counting.MODELS):
                self.verdict.violated("shown", f"{watcher.name} has seen {len(watcher.view.lanes)} lanes")
        if not self.verdict.run_id or self.verdict.stuck:
            return
        if self.verdict.outcome != "completed":
            self.verdict.violated("ending", f"it is {self.verdict.outcome}")
        status, stored = await self.user.ask("GET", f"{PATH}/{self.verdict.run_id}")
        if status != 200 or stored["status"] != "completed":
            self.verdict.violated("stored", f"{status} {stored}")
            return
        models = [lane["model"] for lane in stored["lanes"]]
        if sorted(models) != sorted(counting.MODELS):
            self.verdict.violated("stored", f"its models are {models}")
        for lane in stored["lanes"]:
            for watcher in self.watchers:
                self._text(lane, watcher.name, watcher.view.lanes.get(lane["lane"], Lane()))

    def _text(self, stored: dict[str, str], name: str, shown: Lane) -> None:
        """What a lane shows is what is stored, and what its model said."""
        calls = range(2 * len(counting.MODELS))
        possible = {counting.answer(self.order, stored["model"], call) for call in calls}
        if shown.text not in possible:
            self.verdict.violated("lost", f"{name}, {stored['model']}: …{shown.text[-100:]!r} is no answer of it")
        if shown.text != stored.get("text"):
            self.verdict.violated("stored", f"{name}, {stored['model']}: another text is stored")
