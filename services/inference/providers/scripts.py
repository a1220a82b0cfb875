"""What the demo models say: a script is made from the conversation alone, so the same question gets the same answer."""

import itertools
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contracts.content import Image, Tool, ToolResult, Turn
from services.inference.providers.base import ProviderError

QUOTE_CHARACTERS = 160
WORDS = re.compile(r"\s*\S+\s*")


@dataclass(frozen=True, slots=True)
class Say:
    """One token of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Think:
    """One token of visible thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Fail:
    """The call fails here; without an error the stream just ends."""

    error: ProviderError


@dataclass(frozen=True, slots=True)
class Call:
    """A tool is asked for."""

    name: str
    arguments: str


Step = Say | Think | Pause | Fail | Call


@dataclass(frozen=True)
class Conversation:
    """What a demo model sees of the call."""

    system: str
    users: tuple[str, ...]  # the messages of the user; the last one is to be answered
    images: tuple[Image, ...] = ()  # of the last message
    results: tuple[ToolResult, ...] = ()  # of the tools, if nothing was said since
    tools: tuple[Tool, ...] = ()

    @property
    def last(self) -> str:
        """The message to be answered."""
        return self.users[-1] if self.users else ""

    @property
    def seed(self) -> int:
        """A number that is the same for the same conversation, in every process."""
        return zlib.crc32("\x1e".join((self.system, *self.users)).encode("utf-8", errors="replace"))

    def choose(self, options: Sequence[str], salt: int = 0) -> str:
        """One of the options, always the same for this conversation."""
        return options[(self.seed >> (4 * salt)) % len(options)]

    def memory(self) -> str:
        """A sentence that shows whether the history arrived."""
        instructions = f" My instructions begin with {quote(self.system, 60)}." if self.system else ""
        if self.images:
            instructions = f" I see {', '.join(map(seen, self.images))}.{instructions}"
        earlier = len(self.users) - 1
        if earlier < 1:
            return "This is your first message to me." + instructions
        turns = "one earlier message" if earlier == 1 else f"{earlier} earlier messages"
        return f"I remember {turns} of yours; the first one was {quote(self.users[0])}." + instructions


def conversation(turns: Sequence[Turn], tools: tuple[Tool, ...] = ()) -> Conversation:
    """The conversation without the assistant's side, which these models do not need."""
    users = [turn for turn in turns if turn.role == "user"]
    return Conversation(
        system=" ".join(turn.content for turn in turns if turn.role == "system"),
        users=tuple(turn.content for turn in users),
        images=users[-1].images if users else (),
        results=turns[-1].results if turns else (),
        tools=tools,
    )


def seen(image: Image) -> str:
    """A picture in words: a model without eyes can tell only what it was given."""
    if image.url is not None:
        return f"an image at {image.url}"
    return f"an image ({image.media_type}, {len(image.data or '') * 3 // 4 - (image.data or '').count('=')} bytes)"


def quote(text: str, limit: int = QUOTE_CHARACTERS) -> str:
    """The text in quotation marks, in one line and not too long."""
    line = " ".join(text.split())
    return f"“{line if len(line) <= limit else line[: limit - 1].rstrip() + '…'}”"


def tokens(text: str) -> list[str]:
    """The words of a text, each with the blanks that follow it; joined they give the text."""
    return WORDS.findall(text)


def say(text: str) -> Iterator[Step]:
    """The steps that say a text."""
    return map(Say, tokens(text))


def think(text: str) -> Iterator[Step]:
    """The steps that think a text."""
    return map(Think, tokens(text))


def swift(talk: Conversation) -> Iterator[Step]:
    """Terse."""
    opening = talk.choose(("Noted.", "Right.", "Got it.", "Sure."))
    return say(
        f"{opening} You said {quote(talk.last)}. {talk.memory()} I am demo-swift, a demo model without any "
        "knowledge: I show how fast words arrive. Ask demo-sage if you like to wait."
    )


def sage(talk: Conversation) -> Iterator[Step]:
    """Slow, longer, with paragraphs and a list."""
    opening = talk.choose(
        (
            "Let me take a breath before I answer.",
            "That deserves more than a quick reply.",
            "One could answer this in a word, but why hurry?",
        )
    )
    thought = talk.choose(
        (
            "A river does not ask who is watching; it flows, and whoever comes later still finds it flowing.",
            "What is written down can be read twice; what is only said is gone with the breath.",
            "An answer that survives the closing of a lid was never held by the lid.",
        ),
        1,
    )
    return say(
        f"{opening} You wrote {quote(talk.last)}. {talk.memory()}\n\n{thought} I say this as demo-sage, a demo model: "
        "my wisdom is a script, the same question always finds the same answer, and nothing I say costs anything. "
        "What I can show you is real all the same:\n\n"
        "- **Close this page** while I am speaking and open it again: nothing will be missing.\n"
        "- **Open it on a second device**: both will read along.\n"
        "- **Stop me**: I will fall silent within a second, and what I said will stay.\n\n"
        "There are others like me. demo-swift is brief, demo-thinker thinks aloud, demo-flaky fails when you ask it "
        "to, and demo-marathon keeps going for as long as you say. Choose as the day requires."
    )


def thinker(talk: Conversation) -> Iterator[Step]:
    """Reasons first, then answers."""
    words = len(talk.last.split())
    longest = max(talk.last.split(), key=len, default="nothing")
    return itertools.chain(
        think(
            f"The user writes {quote(talk.last)}. That is {words} words; the longest is {quote(longest, 40)}. "
            f"{talk.memory()} I am a demo model, so I cannot look anything up. I could pretend to know, but it is "
            "better to say what I noticed and how this thinking was shown. I will keep the answer short."
        ),
        say(
            f"I thought about {quote(talk.last)} before answering. {talk.memory()} It has {words} words, and the "
            f"longest one is {quote(longest, 40)}. I am demo-thinker, a demo model: what came before this answer was "
            "my reasoning, streamed like the answer itself."
        ),
    )
