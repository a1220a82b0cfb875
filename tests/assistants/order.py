"""Whether the events of a run come in an order that makes sense, as one watcher is told them.

A step begins after all it depends on have ended, and ends once, after its generation; the count of ended steps is
right; a lane's text is the one that its ending has; and nothing comes after the run's ending.
"""

from dataclasses import dataclass, field
from typing import Any

RUN_ENDINGS = frozenset({"run.completed", "run.failed", "run.cancelled"})
STEP_ENDINGS = frozenset({"step.completed", "step.failed", "step.skipped", "step.cancelled"})
GENERATION_ENDINGS = frozenset({"generation.completed", "generation.failed", "generation.cancelled"})
OUTCOMES = {"step.completed": ("generation.completed",), "step.failed": ("generation.failed", "generation.cancelled")}


@dataclass
class Lane:
    """One generation, as it is told."""

    text: str = ""
    told: bool = False
    ending: str = ""


@dataclass
class Order:
    """Takes the events of one watcher, one after another."""

    problems: list[str] = field(default_factory=list)
    plan: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By step: what `run.created` says of it."""
    lanes: dict[str, Lane] = field(default_factory=dict)
    started: dict[str, list[str]] = field(default_factory=dict)
    """By step: the lanes of its attempts."""
    retrying: set[str] = field(default_factory=set)
    approved: dict[str, bool | None] = field(default_factory=dict)
    """By step that asked for it: what was decided, if anything was."""
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By step: its ending."""
    ending: dict[str, Any] = field(default_factory=dict)
    """Of the run."""
    again: bool = False
    """It shows steps of an earlier run again."""
    done: int = 0
    """How many steps had ended, as the last event told."""

    def take(self, kind: str, data: dict[str, Any]) -> None:
        """The next event."""
        if kind == "reset":
            self.__init__(self.problems)  # type: ignore[misc]
            return
        if kind == "notice":
            return
        if self.ending:
            self._wrong(kind, data, f"after {self.ending['type']}")
        if kind == "run.created":
            self._created(kind, data)
        elif not self.plan:
            self._wrong(kind, data, "before run.created")
        elif kind in RUN_ENDINGS:
            self._run_ended(kind, data)
        elif kind.startswith("generation."):
            self._generation(kind, data)
        elif "step" in data:
            self._step(kind, data)

    def whole(self) -> list[str]:
        """The problems of a watcher that was told everything."""
        missing = [] if self.ending else ["the run has no ending"]
        return self.problems + missing

    def _created(self, kind: str, data: dict[str, Any]) -> None:
        if self.plan:
            self._wrong(kind, data, "a second time")
        self.plan = {each["step"]: each for each in data["steps"]}
        self.again = bool(data.get("parent_run_id"))

    # -- steps ----------------------------------------------------------------------------------------------------

    def _step(self, kind: str, data: dict[str, Any]) -> None:
        step = data["step"]
        if step not in self.plan:
            self._wrong(kind, data, "the plan has no such step")
            return
        if step in self.ended:
            self._wrong(kind, data, f"after {self.ended[step]['type']}")
        if kind in STEP_ENDINGS:
            self._step_ended(kind, data)
        elif kind == "step.started":
            self._step_started(kind, data)
        elif kind == "step.retrying":
            self._lane_ended(kind, data, GENERATION_ENDINGS)
            self.retrying.add(step)
        elif kind == "approval.requested":
            self._dependencies_ended(kind, data)
            if step in self.approved or step in self.started or not self.plan[step].get("approval"):
                self._wrong(kind, data, "nobody had to be asked")
            self.approved[step] = None
        elif kind == "approval.decided":
            if self.approved.get(step, "") is not None:
                self._wrong(kind, data, "it was decided before, or nobody was asked")
            self.approved[step] = data["approved"]
        self._counted(kind, data)

    def _counted(self, kind: str, data: dict[str, Any]) -> None:
        """Steps of an earlier run may count from the beginning, before they are told."""
        least, most = max(len(self.ended), self.done), len(self.plan) if self.again else len(self.ended)
        if not least <= data["done"] <= most or data["total"] != len(self.plan):
            self._wrong(kind, data, f"{data['done']} of {data['total']}, {len(self.ended)} have ended")
        self.done = data["done"]

    def _step_started(self, kind: str, data: dict[str, Any]) -> None:
        step, lanes = data["step"], self.started.setdefault(data["step"], [])
        self._dependencies_ended(kind, data)
        if self.plan[step].get("approval") and not self.approved.get(step):
            self._wrong(kind, data, "nobody has approved it")
        if lanes and step not in self.retrying:
            self._wrong(kind, data, "it goes on already")
        if data["generation"] in lanes or data["attempt"] != len(lanes) + 1:
            self._wrong(kind, data, f"after the attempts {lanes}")
        self.retrying.discard(step)
        lanes.append(data["generation"])

    def _step_ended(self, kind: str, data: dict[str, Any]) -> None:
        step, lane = data["step"], data.get("generation")
        if kind != "step.skipped" and not data.get("source"):
            lanes = self.started.get(step, [])
            if lane != (lanes[-1] if lanes else None):
                self._wrong(kind, data, f"its attempts were {lanes}")
        if kind == "step.skipped" and step in self.started:
            self._wrong(kind, data, "it had begun")
        if kind != "step.skipped" or data.get("reason") != "run_stopped":
            self._dependencies_ended(kind, data, strictly=kind != "step.cancelled")
        if lane is not None:
            self._lane_ended(kind, data, OUTCOMES.get(kind, GENERATION_ENDINGS))
        self.ended[step] = {**data, "type": kind}

    def _dependencies_ended(self, kind: str, data: dict[str, Any], *, strictly: bool = True) -> None:
        missing = [need for need in self.plan[data["step"]].get("depends_on", ()) if need not in self.ended]
        if strictly and missing:
            self._wrong(kind, data, f"before the ending of {missing}")

    def _lane_ended(self, kind: str, data: dict[str, Any], wanted: Any) -> None:
        lane = self.lanes.get(data["generation"], Lane())
        if lane.ending not in wanted:
            self._wrong(kind, data, f"its generation ended with {lane.ending!r}")

    # -- generations ----------------------------------------------------------------------------------------------

    def _generation(self, kind: str, data: dict[str, Any]) -> None:
        name = data["lane"]
        if name not in self.lanes and not self._announced(name):
            self._wrong(kind, data, "before any step.started that names it")
        lane = self.lanes.setdefault(name, Lane())
        if lane.ending:
            self._wrong(kind, data, f"after {lane.ending}")
        if kind == "generation.delta":
            lane.text += data["text"]
        elif kind in ("generation.restarted", "generation.snapshot"):
            lane.text = data.get("text") or ""
        elif kind in GENERATION_ENDINGS:
            text = data.get("text") or ""
            if lane.told and lane.text != text:
                self._wrong(kind, data, f"told was …{lane.text[-60:]!r}, it ends with …{text[-60:]!r}")
            lane.text, lane.ending = text, kind
        lane.told = lane.told or kind in ("generation.started", "generation.delta", "generation.snapshot")

    def _announced(self, lane: str) -> bool:
        again = {f"s{place}" for place, step in enumerate(self.plan.values(), 1) if step.get("source")}
        return any(lane in lanes for lanes in self.started.values()) or lane.partition("_")[0] in again

    # -- the run --------------------------------------------------------------------------------------------------

    def _run_ended(self, kind: str, data: dict[str, Any]) -> None:
        self.ending = {**data, "type": kind}
        if missing := [step for step in self.plan if step not in self.ended]:
            self._wrong(kind, data, f"before the ending of {missing}")
        if open_lanes := [name for name, lane in self.lanes.items() if not lane.ending]:
            self._wrong(kind, data, f"before the ending of the lanes {open_lanes}")
        told = {each["step"]: each["outcome"] for each in data.get("steps", ())}
        seen = {step: each["type"].partition(".")[2] for step, each in self.ended.items()}
        if told != seen:
            self._wrong(kind, data, f"it says {told}, seen was {seen}")

    def _wrong(self, kind: str, data: dict[str, Any], what: str) -> None:
        self.problems.append(f"{kind} {data.get('step') or data.get('lane')}: {what}")


def checked(told: Any) -> Order:
    """All events that a watcher was told: anything that has a type and data."""
    order = Order()
    for event in told:
        order.take(event.type, event.data)
    return order
