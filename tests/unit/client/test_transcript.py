import pytest

from studio_client import Event, ToolCall, Transcript


def event(kind: str, lane: str = "main", /, **data: object) -> Event:
    return Event(kind, lane, {"type": kind, "lane": lane, **data}, "")


def told(*events: Event) -> Transcript:
    transcript = Transcript()
    for each in events:
        transcript.apply(each)
    return transcript


def delta(text: str, lane: str = "main") -> Event:
    return event("generation.delta", lane, text=text)


def test_each_lane_has_its_own_text_and_reasoning() -> None:
    transcript = told(
        event("run.created", "run", run_id="cmp_1", kind="compare"),
        *(delta("a", "g0"), delta("x", "g1"), event("generation.reasoning", "g0", text="hm"), delta("b", "g0")),
    )
    assert (transcript.run_id, transcript.kind) == ("cmp_1", "compare")
    assert {name: lane.text for name, lane in transcript.lanes.items()} == {"g0": "ab", "g1": "x"}
    assert transcript.lanes["g0"].reasoning == "hm"
    assert transcript.text() == "", "there is no lane main"


@pytest.mark.parametrize("kind", ["completed", "failed", "cancelled", "snapshot"])
def test_an_event_that_carries_the_words_replaces_those_that_were_told(kind: str) -> None:
    transcript = told(delta("wrong"), event(f"generation.{kind}", text="right", reasoning="why"))
    assert (transcript.text(), transcript.lanes["main"].reasoning) == ("right", "why")
    assert transcript.lanes["main"].outcome == (None if kind == "snapshot" else kind)


def test_an_ending_without_words_leaves_them_and_a_snapshot_without_words_does_not() -> None:
    assert told(delta("kept"), event("generation.failed")).text() == "kept"
    assert told(delta("dropped"), event("generation.snapshot")).text() == ""


def test_after_a_snapshot_the_text_goes_on() -> None:
    assert told(event("generation.snapshot", text="Hel"), delta("lo")).text() == "Hello"


def test_a_restarted_lane_drops_all_it_has_said() -> None:
    call = event("generation.tool_call", call_id="1", name="f", arguments="{}")
    transcript = told(call, delta("wrong"), event("generation.restarted"), delta("right"), call)
    assert transcript.text() == "right"
    assert transcript.lanes["main"].tool_calls == (ToolCall("1", "f", "{}"),)


def test_a_reset_drops_every_lane() -> None:
    assert told(delta("a"), delta("b", "other"), event("reset", "run"), delta("c")).lanes.keys() == {"main"}


def test_the_ending_tells_why() -> None:
    error = {"code": "rate_limited", "message": "Too busy"}
    transcript = told(event("generation.failed", error=error), event("run.failed", "run", error=error))
    assert (transcript.ending, transcript.error) == ("run.failed", error)
    assert transcript.lanes["main"].ending["error"] == error


def test_types_nobody_knows_change_nothing() -> None:
    assert told(event("who.knows", text="x"), event("generation.news", text="x"), event("notice", "run")).text() == ""


def step(kind: str, **data: object) -> Event:
    return event(kind, "run", step="draft", done=0, total=1, **data)


def test_a_steps_output_is_what_its_newest_attempt_said() -> None:
    begun = [step("step.started", generation="s1_1"), delta("wrong", "s1_1"), event("generation.failed", "s1_1")]
    transcript = told(*begun)
    assert (transcript.output("draft"), transcript.steps["draft"].status) == ("wrong", "started")
    retrying = [*begun, step("step.retrying", generation="s1_1", delay_ms=5)]
    assert (told(*retrying).output("draft"), told(*retrying).steps["draft"].data["delay_ms"]) == ("", 5)
    again = [*retrying, step("step.started", generation="s1_2"), delta("right", "s1_2")]
    transcript = told(*again, step("step.completed", generation="s1_2"))
    assert (transcript.output("draft"), transcript.steps["draft"].status) == ("right", "completed")
    assert transcript.output("other") == ""


def test_an_approval_is_something_of_its_step() -> None:
    asked = [step("approval.requested", instructions="Is it polite?")]
    transcript = told(*asked)
    assert (transcript.steps["draft"].status, transcript.steps["draft"].lane) == ("requested", None)
    assert told(*asked, step("approval.decided", approved=False)).steps["draft"].data["approved"] is False
    assert told(*asked, event("reset", "run")).steps == {}
