"""One run of an assistant with everybody who watches it, from the request to what is stored of it."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

from contracts.assistant import Definition
from tests.assistants.order import Order
from tests.assistants.reference import Evaluation, evaluate
from tests.chaos.check.steps import judge
from tests.chaos.check.verdict import Verdict
from tests.chaos.client.sse import Frame
from tests.chaos.client.user import GaveUp, User
from tests.chaos.client.watcher import Posting, Watcher
from tests.chaos.faults.history import History

BOUND_SECONDS = 240.0
"""A run that has not ended after so much more than the model needs is stuck."""
WATCHERS = 2
LATE_SECONDS = 5.0
DROP_EVERY_SECONDS = 4.0


class AssistantStream:
    """Makes an assistant, runs it, approves, watches with several watchers, and judges."""

    def __init__(
        self,
        mark: str,
        definition: Definition,
        inputs: Mapping[str, Any],
        user: User,
        rng: random.Random,
        *,
        seconds: float,
    ) -> None:
        """`seconds`: how long the models speak at most."""
        self.user, self.verdict = user, Verdict(mark)
        self._definition, self._inputs = definition, dict(inputs)
        self._dice = random.Random(f"{rng.random()}/assistant")
        asked = [step.name for step in definition.steps if step.approval]
        self._approvals: dict[str, bool | None] = {name: self._dice.random() < 0.8 for name in asked}
        self.wanted: Evaluation = evaluate(definition, inputs, self._approvals)
        self.watchers: list[Watcher] = []
        self.orders: list[Order] = []
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self._bound = seconds + BOUND_SECONDS

    async def live(self, history: History) -> Verdict:
        """From the request to the verdict."""
        for number in range(WATCHERS + 2):
            self._add_watcher(history, number)
        first, *others, reload = self.watchers
        helpers = [asyncio.create_task(work) for work in (self._decide(), self._disturb())]
        try:
            async with asyncio.timeout(self._bound):
                first.posting = Posting(await self._make(), {"inputs": self._inputs}, f"run-{self.verdict.marker}")
                async with asyncio.TaskGroup() as group:
                    group.create_task(first.watch())
                    for watcher in others:
                        group.create_task(self._join(watcher, self._dice.uniform(0, LATE_SECONDS)))
                await self._join(reload, 0)
                await self._judge()
        except (TimeoutError, GaveUp) as error:
            self.verdict.stuck = True
            self.verdict.violated("stuck", f"not over after {self._bound:.0f} s: {error!r}, {self._progress()}")
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
        return self.verdict

    def _add_watcher(self, history: History, number: int) -> None:
        order, name = Order(), f"watcher {number}"
        dice = random.Random(self._dice.random())
        watcher = Watcher(name, self.user, dice, history.gaps.append, first_edge=number)

        def take(frame: Frame, _: float) -> None:
            order.take(frame.type, frame.data)
            if frame.type == "approval.requested":
                self._waiting.put_nowait(frame.data["step"])

        watcher.on_frame = take
        self.watchers.append(watcher)
        self.orders.append(order)

    async def _make(self) -> str:
        """The path at which the assistant is run."""
        mark = self.verdict.marker
        body = {"name": f"Proof {mark}", "definition": self._definition.model_dump(mode="json", exclude_none=True)}
        headers = {"idempotency-key": f"made-{mark}"}
        status, made = await self.user.ask("POST", "/v1/assistants", body, headers)
        if status not in (200, 201):
            raise GaveUp(f"the assistant was refused with {status}: {made}")
        return f"/v1/assistants/{made['id']}/runs"

    async def _join(self, watcher: Watcher, after: float) -> None:
        run_id = await asyncio.shield(self.watchers[0].run_id)
        watcher.run_id.set_result(run_id)
        await asyncio.sleep(after)
        await watcher.watch()

    async def _decide(self) -> None:
        """Every watcher that is told of an approval decides, and all in the same way."""
        while True:
            step = await self._waiting.get()
            run_id = await asyncio.shield(self.watchers[0].run_id)
            said = {"decision": "approve" if self._approvals[step] else "reject"}
            status, answer = await self.user.ask("POST", f"/v1/runs/{run_id}/steps/{step}/approval", said)
            if status != 200:
                self.verdict.violated("approval", f"{step}: the decision was answered with {status} {answer}")

    async def _disturb(self) -> None:
        """One watcher has a bad connection."""
        watcher = self._dice.choice(self.watchers)
        while True:
            await asyncio.sleep(self._dice.expovariate(1 / DROP_EVERY_SECONDS))
            watcher.drop()

    # -- the verdict ----------------------------------------------------------------------------------------------

    async def _judge(self) -> None:
        first, verdict = self.watchers[0], self.verdict
        verdict.run_id, verdict.outcome = first.run_id.result(), first.view.run_ending.removeprefix("run.")
        verdict.reconnects = sum(watcher.connections - 1 for watcher in self.watchers if watcher.connections)
        verdict.seams = max(len(watcher.view.seams) for watcher in self.watchers)
        for watcher, order in zip(self.watchers, self.orders, strict=True):
            for problem in (*watcher.view.problems, *order.whole()):
                verdict.violated("shown", f"{watcher.name}: {problem}")
        status, run = await self.user.ask("GET", f"/v1/runs/{verdict.run_id}/steps")
        if status != 200:
            verdict.violated("stored", f"{status} {run}")
            return
        judge(verdict, run, self.wanted, self._definition)
        outputs = {step["generation"]: step["output"] or "" for step in run["steps"] if step["generation"]}
        for watcher, order in zip(self.watchers, self.orders, strict=True):
            for lane, output in outputs.items():
                if lane not in order.lanes or order.lanes[lane].text != output:
                    verdict.violated("stored", f"{watcher.name}, lane {lane}: another text is stored")
            completed = Counter(
                lane.partition("_")[0] for lane, each in order.lanes.items() if "completed" in each.ending
            )
            for place, count in completed.items():
                if count > 1:
                    verdict.violated("twice", f"{watcher.name}: the step at {place} was answered {count} times")

    def _progress(self) -> str:
        order = self.orders[0]
        open_steps = [step for step in order.plan if step not in order.ended]
        return f"{len(order.ended)} of {len(order.plan)} ended, open are {open_steps}, started {order.started}"
