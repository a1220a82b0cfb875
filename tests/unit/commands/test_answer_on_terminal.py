import pytest

from services.commands.answer import DIM, NORMAL, Answer
from studio_client import Event, Transcript


class Screen:
    def __init__(self, *, terminal: bool = False) -> None:
        self.text = ""
        self.notes: list[str] = []
        self.transcript = Transcript()
        self.answer = Answer(self.transcript, self._write, self.notes.append, terminal=terminal)

    def _write(self, text: str) -> None:
        self.text += text

    def feed(self, *events: dict[str, object]) -> "Screen":
        for data in events:
            event = Event(str(data["type"]), str(data.get("lane", "main")), data, "")
            self.transcript.apply(event)
            self.answer.on_event(event)
        return self


def delta(text: str) -> dict[str, object]:
    return {"type": "generation.delta", "lane": "main", "text": text}


def whole(kind: str, text: str) -> dict[str, object]:
    return {"type": f"generation.{kind}", "lane": "main", "text": text}


END = {"type": "run.completed"}


def test_each_piece_is_written_once_and_the_end_ends_the_line() -> None:
    screen = Screen().feed(delta("Hel"), delta("lo"), whole("completed", "Hello"), END)
    assert screen.text == "Hello\n"
    assert screen.transcript.ending == "run.completed"


@pytest.mark.parametrize("kind", ["completed", "failed", "cancelled", "snapshot"])
def test_an_event_that_carries_the_whole_text_is_told_alone(kind: str) -> None:
    screen = Screen().feed(whole(kind, "Hello"), END)
    assert screen.text == "Hello\n"
    assert ["error" in note for note in screen.notes] == ([True] if kind == "failed" else [])


@pytest.mark.parametrize("kind", ["completed", "failed", "cancelled", "snapshot"])
def test_what_was_told_is_not_told_again_by_an_event_that_carries_it(kind: str) -> None:
    assert Screen().feed(delta("Hello"), whole(kind, "Hello"), END).text == "Hello\n"


def test_an_ending_without_a_text_leaves_what_was_told() -> None:
    screen = Screen().feed(delta("Hello"), {"type": "generation.failed", "lane": "main"}, END)
    assert screen.text == "Hello\n"


@pytest.mark.parametrize(
    "replay",
    [
        [delta("Hel"), delta("lo w"), delta("orld")],
        [whole("snapshot", "Hello"), delta(" world")],
        [whole("snapshot", "H"), delta("ello world")],
        [whole("completed", "Hello world")],
    ],
)
def test_a_replay_after_reset_adds_only_what_is_new(replay: list[dict[str, object]]) -> None:
    screen = Screen().feed(delta("Hello"), {"type": "reset"}, *replay, END)
    assert screen.text == "Hello world\n"
    assert screen.notes == []


def test_a_restarted_answer_begins_on_a_new_line_and_says_so() -> None:
    screen = Screen().feed(delta("wrong"), {"type": "generation.restarted", "lane": "main"}, delta("right"), END)
    assert screen.text == "wrong\nright\n"
    assert screen.notes == ["[the model starts this answer again]"]


def test_reasoning_is_dimmed_on_a_terminal_and_absent_from_a_pipe() -> None:
    events = ({"type": "generation.reasoning", "text": "hm"}, delta("Hello"), END)
    assert Screen(terminal=True).feed(*events).text == f"{DIM}hm{NORMAL}\n\nHello\n"
    assert Screen().feed(*events).text == "Hello\n"


def test_ctrl_c_in_the_middle_of_a_thought_leaves_the_terminal_as_it_was() -> None:
    screen = Screen(terminal=True).feed({"type": "generation.reasoning", "text": "hm"})
    screen.answer.interrupt()
    assert NORMAL in screen.text
    assert screen.text.endswith("\n")


def test_errors_are_in_words() -> None:
    screen = Screen().feed({"type": "run.failed", "error": {"code": "rate_limited", "message": "Too busy"}})
    assert screen.notes == ["error: the run failed: Too busy (rate_limited)"]
    assert screen.transcript.ending == "run.failed"


def test_a_cut_off_answer_says_so_and_unknown_events_are_ignored() -> None:
    cut = {**whole("completed", "Hello"), "finish_reason": "length"}
    screen = Screen().feed({"type": "who.knows", "text": "x"}, cut, END)
    assert screen.text.startswith("Hello\n")
    assert "cut off" in screen.notes[0]
