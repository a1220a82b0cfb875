"""Our own Python client against the running stack, with cut connections and killed edges."""

import asyncio

import pytest

from studio_client import ApiError, Patience, Run, Studio, Transcript
from studio_client.blocking import BlockingStudio
from tests.clients.lab import MODEL, TEXT, Lab
from tests.clients.roster import CUT, ERRORS, KILLED, LATE, LIBRARY, REASONING, STOP, STREAMS, UNKNOWN, USAGE
from tests.clients.scripted_model import Script
from tests.fixtures.cutting_proxy import CuttingProxy

QUICK = Patience(pause=0.02, longest_pause=0.2)


def studio_at(lab: Lab, url: str, user: str = "python-client") -> Studio:
    return Studio(url, token=lab.stack.token(user), patience=QUICK)


async def stored(studio: Studio, run: Run) -> str:
    """The answer as a reload shows it."""
    conversation = str(run.transcript.conversation_id)
    return [message["content"] async for message in studio.messages(conversation)][-1]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.compat(client=LIBRARY, feature=STREAMS)
@pytest.mark.compat(client=LIBRARY, feature=CUT)
@pytest.mark.compat(client=LIBRARY, feature=USAGE)
async def test_a_sent_message_is_told_exactly_over_cut_connections(lab: Lab, seed: int) -> None:
    async with lab.proxy(seed=seed, cuts=4) as proxy, studio_at(lab, proxy.url) as studio:
        run = studio.send(lab.prompt(), model=MODEL)
        transcript = await run.wait()
        assert (transcript.text(), transcript.ending) == (TEXT, "run.completed")
        assert len(proxy.done) == 4
        assert await stored(studio, run) == TEXT
        usage = transcript.lanes["main"].ending["usage"]
        assert (usage["input_tokens"], usage["output_tokens"]) == (11, 22)


@pytest.mark.compat(client=LIBRARY, feature=KILLED)
@pytest.mark.compat(client=LIBRARY, feature=REASONING)
async def test_an_edge_killed_in_mid_stream_costs_nothing(lab: Lab) -> None:
    script = Script(TEXT, thoughts="Let me think about that. " * 5)
    async with lab.proxy(in_turn=False) as proxy, studio_at(lab, proxy.url) as studio:
        reading = asyncio.create_task(studio.send(lab.model.prompt(script), model=MODEL).wait())
        await lab.kill_the_edge_of(proxy, script)
        transcript = await reading
    assert (transcript.text(), transcript.lanes["main"].reasoning) == (TEXT, script.thoughts)
    assert len(script.heard) == 1, "the model was asked once"


@pytest.mark.compat(client=LIBRARY, feature=LATE)
async def test_a_run_is_told_whole_on_another_device_and_after_the_end(lab: Lab) -> None:
    async with lab.proxy(seed=5, cuts=2) as proxy, studio_at(lab, proxy.url) as studio:
        run = await studio.send(lab.prompt(), model=MODEL).start()
        first, second = await asyncio.gather(run.wait(), studio.run(run.id).wait())
        late = await studio.run(run.id).wait()
        assert first.text() == second.text() == late.text() == TEXT
        over = studio.run(run.id, run.cursor)
        assert (await over.wait()).ending is None
        assert over.over
        assert (await studio.get_run(run.id))["status"] == "completed"


@pytest.mark.compat(client=LIBRARY, feature=STOP)
async def test_stop_reaches_the_model_and_keeps_what_was_written(lab: Lab) -> None:
    script = Script(TEXT * 20)
    async with lab.proxy() as proxy, studio_at(lab, proxy.url) as studio:
        run = studio.send(lab.model.prompt(script), model=MODEL)
        async for _ in run:
            if len(run.transcript.text()) > 200:
                await run.cancel()
                break
        transcript = await run.wait()
        assert transcript.ending == "run.cancelled"
        assert TEXT.startswith(transcript.text()[:200])
        assert (TEXT * 20).startswith(transcript.text())
        assert await stored(studio, run) == transcript.text()
    async with asyncio.timeout(30):
        await script.stopped.wait()


@pytest.mark.compat(client=LIBRARY, feature=ERRORS)
async def test_a_failure_is_told_with_its_reason(lab: Lab) -> None:
    async with studio_at(lab, lab.url) as studio:
        transcript = await studio.send(lab.prompt(status=401), model=MODEL).wait()
    assert transcript.ending == "run.failed"
    assert transcript.error is not None
    assert transcript.error["code"]
    assert transcript.error["message"]


async def test_tool_calls_are_told(lab: Lab) -> None:
    tools = ({"name": "weather", "arguments": {"city": "Köln"}},)
    async with studio_at(lab, lab.url) as studio:
        transcript = await studio.send(lab.prompt("", tools=tools), model=MODEL).wait()
    (call,) = transcript.lanes["main"].tool_calls
    assert (call.name, call.arguments) == ("weather", '{"city": "K\\u00f6ln"}')


@pytest.mark.compat(client=LIBRARY, feature=UNKNOWN)
async def test_somebody_elses_run_is_like_one_that_does_not_exist(lab: Lab) -> None:
    async with studio_at(lab, lab.url) as studio, studio_at(lab, lab.url, "a stranger") as stranger:
        run = studio.send(lab.prompt("short"), model=MODEL)
        await run.wait()
        for run_id in (run.id, "chat_0123456789", "no such kind"):
            with pytest.raises(ApiError) as error:
                await stranger.run(run_id).wait()
            assert (error.value.status, error.value.code) == (404, "unknown_run"), run_id


async def test_conversations_are_made_listed_changed_and_deleted(lab: Lab) -> None:
    async with studio_at(lab, lab.url, "keeper") as studio:
        made = [await studio.create_conversation(title=f"Talk {number}") for number in range(3)]
        assert [c["title"] async for c in studio.conversations(limit=2)] == ["Talk 2", "Talk 1", "Talk 0"]
        key = made[0]["id"]
        await studio.update_conversation(key, title="Renamed")
        assert (await studio.get_conversation(key))["title"] == "Renamed"
        run = studio.send(lab.prompt("Yes."), conversation=key, model=MODEL)
        await run.wait()
        assert [m["role"] async for m in studio.messages(key, limit=1)] == ["user", "assistant"]
        assert [r["id"] async for r in studio.runs()] == [run.id]
        await studio.delete_conversation(key)
        with pytest.raises(ApiError, match="404"):
            await studio.get_conversation(key)


async def test_the_same_without_async(lab: Lab) -> None:
    def script(proxy: CuttingProxy) -> tuple[str, Transcript]:
        with BlockingStudio(proxy.url, token=lab.stack.token("blocking"), patience=QUICK) as studio:
            assert MODEL in [model["id"] for model in studio.models()]
            with studio.send(lab.prompt(), model=MODEL) as run:
                told = "".join(str(e.data["text"]) for e in run if e.type == "generation.delta")
                return told, run.transcript

    async with lab.proxy(seed=9, cuts=2, least=1500) as proxy:
        told, transcript = await asyncio.to_thread(script, proxy)
    assert transcript.text() == TEXT
    assert transcript.ending == "run.completed"
    assert told
