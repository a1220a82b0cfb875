"""A run from its first step to its last: what its log says, what its models are asked, what its owner is shown."""

import asyncio
from typing import Any

import pytest

from contracts import events
from contracts.architect import (
    CancelArchitectRun,
    CancelStep,
    DecideApproval,
    DeleteAssistantRun,
    ForkAssistantRun,
    GetArchitectRun,
    ListAssistantRuns,
    ReplayArchitectRun,
    StartAssistantRun,
)
from contracts.assistant import Approval, InputField, StepChange
from kit.ids import new_id
from kit.runlog.lane import RunKey
from tests.fixtures.bus import subjects_of
from tests.fixtures.polling import until
from tests.integration.architect.world import OWNER, World, step


async def test_steps_are_asked_in_their_order_with_what_those_before_them_said(world: World) -> None:
    await world.replica()
    fields = (InputField(name="topic", kind="short_text"),)
    key = await world.begin(
        step("a", prompt="About ${topic}"),
        step("b", "a"),
        step("c", "a"),
        step("d", "b", "c", system="Be {{topic}}.", history=True),
        fields=fields,
        inputs={"topic": "${b.output}"},
    )
    await world.answer(key, "a", "A")
    await world.answer(key, "c", "C")
    await world.answer(key, "b", "B ${topic}")
    await world.answer(key, "d", "D")
    run = await world.until_ended(key)
    assert (run.status, run.outputs, run.done, run.total) == ("completed", {"d": "D"}, 4, 4)
    asked = {order.lane: [(turn.role, turn.content) for turn in order.messages] for order in await world.orders(key)}
    assert asked["s1_1"] == [("user", "About ${b.output}")]
    assert asked["s2_1"] == [("user", "b: A")]
    assert asked["s4_1"] == [
        ("system", "Be ${b.output}."),
        *(("user", "About ${b.output}"), ("assistant", "A")),
        *(("user", "b: A"), ("assistant", "B ${topic}")),
        *(("user", "c: A"), ("assistant", "C")),
        ("user", "d: B ${topic} C"),
    ]
    types = await world.types(key)
    assert types[:3] == ["run.created", "step.started a", "step.completed a"]
    assert sorted(types[3:5]) == ["step.started b", "step.started c"]
    assert types[5:] == [
        *("step.completed c", "step.completed b", "step.started d", "step.completed d"),
        "run.completed",
    ]
    ending = (await world.told(key))[-1]
    assert isinstance(ending, events.RunCompleted)
    assert (ending.cost_usd, ending.usage and ending.usage.output_tokens) == ("0.004", 200)
    assert [end.lane for end in ending.ends] == ["s1_1", "s2_1", "s3_1", "s4_1"]


@pytest.mark.parametrize(("approved", "status"), [(True, "completed"), (False, "failed")])
async def test_a_step_waits_until_somebody_decides(world: World, approved: bool, status: str) -> None:
    await world.replica()
    key = await world.begin(step("a"), step("b", "a", approval=Approval(instructions="Look at it.")))
    of_b: dict[str, Any] = {"owner": OWNER, "run_id": key.run, "step": "b"}
    assert await world.refused(DecideApproval(**of_b, approved=True)) == "not_waiting_for_approval"
    await world.answer(key, "a")
    waiting = await world.until_status(key, "b", "approval")
    assert (waiting.instructions, (await world.get(key)).waiting_for_approval) == ("Look at it.", ("b",))
    for _ in range(2):
        await world.ask(DecideApproval(**of_b, approved=approved, comment="So be it."))
    assert await world.refused(DecideApproval(**of_b, approved=not approved)) == "already_decided"
    if approved:
        await world.answer(key, "b")
    run = await world.until_ended(key)
    assert run.status == status
    decision = (await world.step(key, "b")).decision
    assert decision is not None
    assert (decision.approved, decision.by, decision.comment) == (approved, "u", "So be it.")
    assert (await world.types(key)).count("approval.decided b") == 1


async def test_nobody_decides_in_time(world: World) -> None:
    await world.replica()
    key = await world.begin(step("a", approval=Approval(timeout_seconds=0.3)))
    run = await world.until_ended(key)
    assert (run.status, run.steps[0].error and run.steps[0].error.code) == ("failed", "approval_timed_out")


async def test_a_failed_attempt_is_followed_by_another_one_after_a_while(world: World) -> None:
    await world.replica(retry_base_seconds=0.2)
    key = await world.begin(step("a", retries=1), step("b", "a"))
    await world.fail(key, "a")
    await world.until_status(key, "a", "retrying")
    await world.answer(key, "a", "at last")
    await world.answer(key, "b")
    assert (await world.until_ended(key)).status == "completed"
    types = await world.types(key)
    assert types[1:5] == ["step.started a", "step.retrying a", "step.started a", "step.completed a"]
    asked = {order.lane: order.messages[0].content for order in await world.orders(key)}
    assert asked == {"s1_1": "a:", "s1_2": "a:", "s2_1": "b: at last"}


async def test_a_condition_decides_which_way_it_goes(world: World) -> None:
    await world.replica()
    key = await world.begin(
        step("kind"),
        step("yes", "kind", condition="kind.output == 'yes'"),
        step("no", "kind", condition="kind.output != 'yes'"),
        step("end", "yes", "no"),
    )
    await world.answer(key, "kind", "yes")
    await world.answer(key, "yes", "Y")
    await world.answer(key, "end")
    run = await world.until_ended(key)
    assert {found.step: found.status for found in run.steps}["no"] == "skipped"
    assert (await world.orders(key))[-1].messages[0].content == "end: Y "


async def test_an_answer_that_takes_too_long_is_stopped(world: World) -> None:
    await world.replica()
    key = await world.begin(step("a", timeout_seconds=3.0, retries=0, on_error="continue"), step("b", "a"))
    answering = await world.answering(key, "a")
    await answering.say("half of it")
    await answering.die()
    await world.answer(key, "b")
    run = await world.until_ended(key)
    late = run.steps[0]
    assert (late.status, late.error and late.error.code, late.output) == ("failed", "step_timeout", "half of it")
    assert (await world.orders(key))[-1].messages[0].content == "b: half of it"


async def test_a_timer_that_nobody_waits_for_any_more_is_taken_back(world: World) -> None:
    await world.replica()
    patient = step("b", "a", approval=Approval(timeout_seconds=86_400))
    key = await world.begin(step("a", timeout_seconds=86_400), patient, timeout_seconds=86_400)

    async def timers() -> int:
        return len(await subjects_of(world.bus.client, "TIMERS", f"timer.at.architect.{key.run}.>")) + len(
            await subjects_of(world.bus.client, "TIMERS", f"timer.at.architect.{key.run}")
        )

    async def two_wait() -> bool:
        return await timers() == 2

    await until(two_wait)
    await world.answer(key, "a")
    await world.until_status(key, "b", "approval")
    await until(two_wait)
    await world.ask(DecideApproval(owner=OWNER, run_id=key.run, step="b", approved=True))
    await world.answer(key, "b")
    await world.until_ended(key)

    async def none_waits() -> bool:
        return await timers() == 0

    await until(none_waits)


async def test_a_run_that_takes_too_long_is_stopped(world: World) -> None:
    await world.replica()
    key = await world.begin(step("a"), step("b", "a"), timeout_seconds=0.3)
    run = await world.until_ended(key)
    assert (run.status, run.error and run.error.code) == ("failed", "run_timeout")


async def test_stopping_a_run_stops_all_of_it(world: World) -> None:
    await world.replica()
    key = await world.begin(step("a"), step("b"), step("c", "a", "b"))
    await world.answer(key, "b")
    answering = await world.answering(key, "a")
    await answering.say("half")
    await answering.die()
    told = await world.ask(CancelArchitectRun(owner=OWNER, run_id=key.run))
    assert told.status == "cancelled"
    run = await world.until_ended(key)
    assert [(found.step, found.status) for found in run.steps] == [
        ("a", "cancelled"),
        ("b", "completed"),
        ("c", "skipped"),
    ]
    assert run.steps[0].output == "half"
    assert (await world.ask(CancelArchitectRun(owner=OWNER, run_id=key.run))).status == "cancelled"


async def test_stopping_a_step_leaves_the_others_to_its_policy(world: World) -> None:
    await world.replica()
    key = await world.begin(step("a", on_error="skip"), step("b", "a"), step("c"), step("late", "c"))
    await (await world.answering(key, "a")).die()
    assert (await world.ask(CancelStep(owner=OWNER, run_id=key.run, step="a"))).status == "running"
    await world.until_status(key, "a", "cancelled")
    assert await world.refused(CancelStep(owner=OWNER, run_id=key.run, step="nobody")) == "unknown_step"
    await world.answer(key, "c")
    await world.answer(key, "late")
    run = await world.until_ended(key)
    assert [found.status for found in run.steps] == ["cancelled", "skipped", "completed", "completed"]
    assert run.status == "completed"


async def test_a_fork_takes_only_a_step_and_what_depends_on_it(world: World) -> None:
    await world.replica()
    fields = (InputField(name="topic", kind="short_text"),)
    steps = (step("a", prompt="On ${topic}"), step("b", "a"), step("c", "a"), step("d", "b", "c"))
    key = await world.begin(*steps, fields=fields, inputs={"topic": "cats"})
    fork: dict[str, Any] = {"owner": OWNER, "parent_run_id": key.run, "step": "b"}
    assert await world.refused(ForkAssistantRun(**fork, run_id=new_id("arc"))) == "run_in_progress"
    for name in "abcd":
        await world.answer(key, name, name.upper())
    await world.until_ended(key)
    changes = {"b": StepChange(prompt="Again, on ${topic}: ${a.output}", model="m-2")}
    command = ForkAssistantRun(**fork, run_id=new_id("arc"), changes=changes, inputs={"topic": "dogs"})
    new = RunKey("t", "u", (await world.ask(command)).run_id)
    await world.answer(new, "b", "B2")
    await world.answer(new, "d", "D2")
    run = await world.until_ended(new)
    assert (run.status, run.outputs, run.parent_run_id) == ("completed", {"d": "D2"}, key.run)
    assert {order.lane: order.messages[0].content for order in await world.orders(new)} == {
        "s2_1": "Again, on dogs: A",
        "s4_1": "d: B2 C",
    }
    assert run.cost_usd == "0.002", "what is shown again was paid for before"
    origin = (await world.step(new, "a")).origin
    assert origin is not None
    assert (origin.run_id, origin.step) == (key.run, "a")
    types = await world.types(new)
    assert types[:4] == ["run.created", "step.completed a", "step.completed c", "step.started b"]
    shown = (await world.told(new, "s1_1"))[0]
    assert isinstance(shown, events.GenerationCompleted)
    assert shown.text == "A"
    ending = (await world.told(new))[-1]
    assert isinstance(ending, events.RunCompleted)
    assert [end.lane for end in ending.ends] == ["s1_1", "s2_1", "s3_1", "s4_1"]
    bad = ForkAssistantRun(**fork, run_id=new_id("arc"), changes={"a": StepChange(model="m-2")})
    assert await world.refused(bad) == "invalid_request"


async def test_a_retry_takes_up_what_failed(world: World) -> None:
    await world.replica()
    key = await world.begin(step("a"), step("b", "a", retries=0), step("c", "b"))
    await world.answer(key, "a", "A")
    await world.fail(key, "b")
    assert (await world.until_ended(key)).status == "failed"
    command = ForkAssistantRun(owner=OWNER, parent_run_id=key.run, step="b", run_id=new_id("arc"))
    new = RunKey("t", "u", (await world.ask(command)).run_id)
    await world.answer(new, "b")
    await world.answer(new, "c")
    assert (await world.until_ended(new)).status == "completed"


async def test_what_cannot_be_asked_fails_without_a_model(world: World) -> None:
    await world.replica()
    key = await world.begin(
        step("gone", model="of-yesterday", on_error="skip"),
        step("long", prompt="x" * 4_000, model="small", on_error="skip", retries=2),
        step("other", model="of-yesterday", fallbacks=("m-2",)),
    )
    await world.answer(key, "other")
    run = await world.until_ended(key)
    codes = [found.error.code if found.error else None for found in run.steps]
    assert codes == ["unknown_model", "context_too_long", None]
    assert [order.model for order in await world.orders(key)] == ["m-2"]


async def test_two_replicas_do_everything_once(world: World) -> None:
    await world.replica(sweeping=True, sweep_seconds=0.2)
    await world.replica(sweeping=True, sweep_seconds=0.2)
    keys = await asyncio.gather(*(world.begin(step("a"), step("b"), step("c", "a", "b")) for _ in range(5)))

    async def answer_all(key: RunKey) -> None:
        await asyncio.gather(world.answer(key, "a"), world.answer(key, "b"))
        await world.answer(key, "c")
        await world.until_ended(key)

    await asyncio.gather(*map(answer_all, keys))
    for key in keys:
        types = await world.types(key)
        assert len(types) == len(set(types)) == 8
        assert len(await world.orders(key)) == 3


async def test_a_repeated_request_is_the_same_run(world: World) -> None:
    await world.replica()
    made = await world.assistant(step("a"))
    command = StartAssistantRun(owner=OWNER, run_id=new_id("arc"), assistant_id=made, idempotency_key="k")
    first = await world.ask(command)
    again = await world.ask(command.model_copy(update={"run_id": new_id("arc")}))
    assert (again.run_id, again.replayed) == (first.run_id, True)
    other = command.model_copy(update={"run_id": new_id("arc"), "notify": "never"})
    assert await world.refused(other) == "idempotency_conflict"


async def test_a_run_is_shown_listed_replayed_and_deleted(world: World) -> None:
    await world.replica()
    key = await world.begin(step("a"), step("b", "a"))
    assert await world.refused(DeleteAssistantRun(owner=OWNER, run_id=key.run)) == "run_in_progress"
    await world.answer(key, "a", "A")
    await world.answer(key, "b", "B")
    run = await world.until_ended(key)
    page = await world.ask(ListAssistantRuns(owner=OWNER, assistant_id=run.assistant_id))
    assert [found.id for found in page.items] == [key.run]
    assert (await world.ask(GetArchitectRun(owner=OWNER, run_id=key.run))).text == "B"
    stored = await world.ask(ReplayArchitectRun(owner=OWNER, run_id=key.run))
    told = [events.decode(event.encode()) for event in stored.events]
    types = [events.type_of(event) for event in told if event is not None]
    assert types == [
        *("run.created", "step.started", "generation.completed", "step.completed"),
        *("step.started", "generation.completed", "step.completed", "run.completed"),
    ]
    await world.ask(DeleteAssistantRun(owner=OWNER, run_id=key.run))
    assert await world.refused(GetArchitectRun(owner=OWNER, run_id=key.run)) == "unknown_run"

    async def ordered() -> bool:
        return bool(await world.pool.fetch("SELECT FROM architect.log_purge WHERE run_id = $1", key.run))

    await until(ordered)
