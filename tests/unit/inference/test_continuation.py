"""Going on with an answer that another worker began."""

import random

import pytest

from contracts import events
from contracts.content import Turn
from services.inference import pickup
from services.inference.cards import Continuation
from services.inference.continuation import Continuing, OverlapTrimmer, Repetition, plan, turns
from services.inference.pickup import Past
from services.inference.providers.base import Reasoning, Text, ToolCall

ASKED = [Turn(role="user", content="Count")]
TEXT = "The quick brown fox jumps over the lazy dog and then it sleeps for "


def trimmed(text: str, pieces: list[str]) -> str:
    trimmer = OverlapTrimmer(text)
    return "".join(trimmer.take(piece) for piece in pieces) + trimmer.rest()


@pytest.mark.parametrize("repeated", [0, 9, 20, 40, len(TEXT)])
@pytest.mark.parametrize("seed", range(5))
def test_a_repeated_end_is_trimmed_however_the_stream_is_cut(repeated: int, seed: int) -> None:
    chance, new = random.Random(seed), "hours in the warm sun."
    stream, pieces = TEXT[len(TEXT) - repeated :] + new, []
    while stream:
        size = chance.randrange(1, 12)
        pieces.append(stream[:size])
        stream = stream[size:]
    assert trimmed(TEXT, pieces) == new


def test_a_short_likeness_is_chance_and_stays() -> None:
    assert trimmed("count 1 2 ", ["2 ", "3 "]) == "2 3 "


@pytest.mark.parametrize("pieces", [["France is"], ["Fra", "nce is"], ["F", "r", "a", "n", "ce is"]])
def test_a_word_that_broke_off_is_not_said_one_and_a_half_times(pieces: list[str]) -> None:
    assert trimmed("The capital of Fra", pieces) == "nce is"


@pytest.mark.parametrize("rest", ["nce is", " Fra Angelico", "ancis", ", said Fra"])
def test_a_word_that_broke_off_goes_on(rest: str) -> None:
    assert trimmed("The capital of Fra", [rest]) == rest


def test_a_whole_word_said_twice_is_said_twice() -> None:
    assert trimmed("He said that", ["that ", "is so"]) == "that is so"


def test_a_stream_that_only_repeats_adds_nothing() -> None:
    assert trimmed(TEXT, [TEXT[-30:]]) == ""


def test_words_of_the_middle_are_no_repetition_of_the_end() -> None:
    assert trimmed(TEXT, ["quick brown fox ", "again"]) == "quick brown fox again"


def test_a_stream_that_ends_with_words_of_the_middle_keeps_them() -> None:
    assert trimmed(TEXT, ["quick brown fox"]) == "quick brown fox"


@pytest.mark.parametrize(
    ("continuation", "text", "mode"),
    [
        ("prefill", "One two", "prefill"),
        ("continue", "One two", "continue"),
        ("restart", "One two", "restart"),
        ("prefill", "", "restart"),
        ("continue", "", "restart"),
    ],
)
def test_the_catalogue_says_how_and_without_text_it_begins_again(
    continuation: Continuation, text: str, mode: str
) -> None:
    assert plan(continuation, Past(text=text, reasoning="thoughts")).mode == mode


def test_a_prefill_is_the_beginning_of_the_answer_and_a_continuation_is_asked_for() -> None:
    assert turns(ASKED, Continuing("prefill", "One"))[-1] == Turn(role="assistant", content="One")
    roles = [turn.role for turn in turns(ASKED, Continuing("continue", "One"))]
    assert roles == ["user", "assistant", "user"]
    assert turns(ASKED, Continuing("restart")) == ASKED


def test_calls_of_tools_and_answers_of_a_form_are_begun_again() -> None:
    called = Past(text="One", tool_calls=(events.ToolCall("call_1", "weather", "{}"),))
    for continuation in ("prefill", "continue", "reattach"):
        assert plan(continuation, called).mode == "restart"  # type: ignore[arg-type]
        assert plan(continuation, Past(text="{"), formed=True).mode == "restart"  # type: ignore[arg-type]
    kept = Past(text="One", tool_calls=called.tool_calls, reference="resp_1")
    assert plan("reattach", kept).mode == "reattach"
    assert plan("reattach", Past(text="{", reference="resp_1"), formed=True).mode == "reattach"


def started(attempt: int) -> events.GenerationStarted:
    return events.GenerationStarted(lane="main", at=0, attempt=attempt, model="m", provider="p")


def delta(text: str) -> events.GenerationDelta:
    return events.GenerationDelta(lane="main", at=0, text=text)


def test_the_text_of_all_attempts_since_the_last_restart_counts() -> None:
    restarted = events.GenerationRestarted(lane="main", at=0, attempt=2)
    told = [started(1), delta("lost "), restarted, started(2), delta("One "), started(3), delta("two ")]
    begin = pickup.on_pickup(list(enumerate(told, start=5)), max_attempts=5)
    assert begin == pickup.Begin(4, 11, Past(attempts=3, text="One two ", dropped="lost ", model="m"))


def test_attempts_are_counted_since_the_text_last_grew() -> None:
    fruitless = [started(attempt) for attempt in range(2, 6)]
    assert isinstance(pickup.on_pickup(list(enumerate([started(1), *fruitless])), 5), pickup.GiveUp)
    told = [started(1), *fruitless, delta("at last"), started(6)]
    assert isinstance(pickup.on_pickup(list(enumerate(told)), 5), pickup.Begin)


def test_a_kept_answer_told_again_adds_only_what_is_new() -> None:
    call = events.ToolCall("call_1", "weather", "{}")
    repetition = Repetition(Past(text="One tw", reasoning="Hm", tool_calls=(call,)))
    told = [
        Reasoning("Hmm."),
        Text("One "),
        ToolCall("call_1", "weather", "{}"),
        Text("two "),
        ToolCall("call_2", "weather", "{}"),
        Text("three"),
    ]
    new = [chunk for chunk in map(repetition.new, told) if chunk is not None]
    assert new == [Reasoning("m."), Text("o "), ToolCall("call_2", "weather", "{}"), Text("three")]


def test_only_a_kept_answer_is_reattached_to() -> None:
    assert plan("reattach", Past(text="x", reference="resp_1")).mode == "reattach"
    assert plan("reattach", Past(reference="resp_1")).mode == "reattach"
    assert plan("reattach", Past(text="x")).mode == "continue"
    assert plan("prefill", Past(text="x", reference="resp_1")).mode == "prefill"


def test_calls_that_were_asked_for_are_dropped_with_the_text_and_were_paid_for() -> None:
    call = events.GenerationToolCall(lane="main", at=0, call_id="call_1", name="weather", arguments="{}")
    restarted = events.GenerationRestarted(lane="main", at=0, attempt=2)
    past = pickup.past(list(enumerate([started(1), delta("Hm"), call, started(2), restarted])))
    assert (past.tool_calls, past.dropped, past.begun) == ((), "Hmweather{}", False)
    assert pickup.past(list(enumerate([started(1), call]))).begun


def test_a_call_of_a_tool_is_progress() -> None:
    call = events.GenerationToolCall(lane="main", at=0, call_id="call_1", name="weather", arguments="{}")
    told = [*(started(attempt) for attempt in range(1, 6)), call]
    assert isinstance(pickup.on_pickup(list(enumerate(told, start=1)), 5), pickup.Begin)


def attached(reference: str) -> events.GenerationAttached:
    return events.GenerationAttached(lane="main", at=0, attempt=1, reference=reference)


def test_the_second_half_of_an_answer_is_no_kept_answer() -> None:
    whole = [started(1), attached("resp_1"), delta("One ")]
    assert pickup.past(list(enumerate(whole, start=1))).reference == "resp_1"
    resumed = events.GenerationResumed(lane="main", at=0, attempt=2, mode="continue")
    half = [*whole, started(2), resumed, attached("resp_2"), delta("two ")]
    assert pickup.past(list(enumerate(half, start=1))).reference is None


def test_saying_the_same_words_again_is_no_progress() -> None:
    told: list[events.Event] = [started(1), delta("One two ")]
    for attempt in range(2, 7):
        restarted = events.GenerationRestarted(lane="main", at=0, attempt=attempt)
        told += [started(attempt), restarted, delta("One ")]
    assert isinstance(pickup.on_pickup(list(enumerate(told, start=1)), 5), pickup.GiveUp)
    assert isinstance(pickup.on_pickup(list(enumerate([*told, delta("two thr")], start=1)), 5), pickup.Begin)


def test_a_fallback_is_no_attempt_of_its_own() -> None:
    told = [started(1)] * 6
    assert isinstance(pickup.on_pickup(list(enumerate(told, start=1)), 5), pickup.Begin)
