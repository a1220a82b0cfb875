"""The watchdog of a run with several lanes: each is counted for itself."""

import pytest

from contracts import events
from kit.bus.redelivery import DeadLetterError
from kit.orchestrate.watchdog import FACT_SECONDS
from kit.runlog.writer import FencedError
from tests.integration.orchestrate.orchestra import PERIOD, UNANSWERED, Orchestra


async def test_only_the_lane_that_nobody_is_at_is_ended(orchestra: Orchestra) -> None:
    key = await orchestra.begin("answers", "writes", "dead", "empty")
    async with (
        orchestra.work_on(key, "answers") as answers,
        orchestra.work_on(key, "writes") as writes,
        orchestra.work_on(key, "dead") as dead,
    ):
        await dead.say("kept")
        await dead.die()
        await writes.die()
        await orchestra.watchdog.look()
        await orchestra.pass_time(UNANSWERED - PERIOD)
        await writes.say("word")
        await orchestra.pass_time(PERIOD)
        endings = {lane: await orchestra.ending(key, lane) for lane in ("answers", "writes", "dead", "empty")}
        assert (endings["answers"], endings["writes"]) == (None, None)
        assert (endings["dead"].error.code, endings["dead"].text) == ("abandoned", "kept")
        assert (endings["empty"].error.code, endings["empty"].cost_usd) == ("no_worker", "0")
        assert answers.pings == UNANSWERED / PERIOD
        with pytest.raises(FencedError):
            await dead.say("late")
        await answers.say("and on")


async def test_every_lost_fact_of_a_run_is_made_good(orchestra: Orchestra) -> None:
    lanes = ("one", "two", "three")
    key = await orchestra.begin(*lanes)
    for lane in lanes[:2]:
        async with orchestra.work_on(key, lane) as worker:
            await worker.finish(f"all of {lane}")
    async with orchestra.work_on(key, "three"):
        await orchestra.watchdog.look()
        await orchestra.pass_time(FACT_SECONDS - 1)
        assert orchestra.kept.facts == [], "usually the fact is only on its way"
        await orchestra.pass_time(1)
        found = {fact.lane: fact for fact in orchestra.kept.facts}
        assert sorted(found) == ["one", "two"]
        for lane, fact in found.items():
            assert (fact.outcome, fact.sequence) == ("completed", (await orchestra.reads.lane(key.lane(lane)))[-1][0])
        await orchestra.pass_time(PERIOD)
        assert len(orchestra.kept.facts) == 2, "once it is stored it is looked at no more"


async def test_a_lane_that_cannot_be_helped_keeps_none_of_its_run_waiting(
    orchestra: Orchestra, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await orchestra.begin("broken", "unread", "good")
    for lane in ("unread", "good"):
        async with orchestra.work_on(key, lane) as worker:
            await worker.finish("all")
    unknown = b'{"type":"generation.completed","lane":"broken","at":1,"attempt":1,"model":"m","finish_reason":"?"}'
    await orchestra.bus.client.jetstream().publish(key.lane("broken"), unknown)
    act = orchestra.kept.on_generation_ended

    async def refuses_one(fact: object) -> None:
        if getattr(fact, "lane", "") == "unread":
            raise DeadLetterError("not this one")
        await act(fact)  # type: ignore[arg-type]

    monkeypatch.setattr(orchestra.kept, "on_generation_ended", refuses_one)
    await orchestra.watchdog.look()
    await orchestra.pass_time(PERIOD)
    assert [fact.lane for fact in orchestra.kept.facts] == ["good"]
    assert sorted(lane for _, lane in orchestra.kept.lanes) == ["broken", "unread"]


async def test_the_ending_of_a_run_is_told_when_it_should_have_been(orchestra: Orchestra) -> None:
    key = await orchestra.begin("one")
    orchestra.kept.lanes.clear()
    orchestra.kept.silent = [key]
    await orchestra.watchdog.look()
    assert orchestra.kept.told == []
    await orchestra.pass_time(PERIOD)
    assert orchestra.kept.told == [key]


async def test_a_lane_that_ended_while_it_was_given_up_stays_as_it_is(
    orchestra: Orchestra, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its fact came between the look and the ending: nothing goes on any more, so nothing is written."""
    key = await orchestra.begin("one")

    async def gone(_: object) -> None:
        return None

    monkeypatch.setattr(orchestra.kept, "generation", gone)
    await orchestra.watchdog.look()
    await orchestra.pass_time(UNANSWERED)
    assert await orchestra.lane(key, "one") == []


async def test_the_words_of_each_lane_end_in_their_own(orchestra: Orchestra) -> None:
    key = await orchestra.begin("a", "b")
    for lane in ("a", "b"):
        async with orchestra.work_on(key, lane) as worker:
            await worker.say(f"words of {lane}")
    await orchestra.watchdog.look()
    await orchestra.pass_time(UNANSWERED)
    for lane in ("a", "b"):
        ending = await orchestra.ending(key, lane)
        assert isinstance(ending, events.GenerationFailed)
        assert (ending.lane, ending.text) == (lane, f"words of {lane}")
