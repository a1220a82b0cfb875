"""What every model provider looks like to the worker."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import msgspec

from contracts.content import Turn
from contracts.generation import Parameters

ErrorCode = Literal[
    "provider_unavailable",  # refused, reset, or answered 5xx
    "provider_auth",  # 401 or 403: our key is wrong
    "provider_rate_limited",  # 429
    "provider_rejected",  # another 4xx: asking again will not help
    "provider_bad_response",  # an answer that is not the protocol
    "provider_incomplete",  # the stream ended without a finish reason
    "context_length_exceeded",
    "content_filtered",
    "vision_unsupported",  # an image for a model that sees none; the provider is not called
    "tools_unsupported",  # tools, or a talk about their results, for a model that knows none; not called either
]


class ProviderError(Exception):
    """A model call that failed.

    `retryable` says whether the same call may succeed later; `retry_after` is the provider's own wish in seconds.
    The message is shown to the user, so it never contains a key, a header or an internal address.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        retryable: bool,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
        self.status = status


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens as the provider counts them."""

    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cached_input_tokens: int = 0


FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the model's visible thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A complete tool call that the model asks the client to make.

    Calls come last, right before `Finish`: what has them in the lane was whole, up to its ending.
    """

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of an answer; a stream without one is an error. Nothing follows it."""

    reason: FinishReason
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Attached:
    """The provider keeps this answer under this id; another worker can reattach to it."""

    reference: str


Chunk = Text | Reasoning | ToolCall | Finish | Attached


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """One call of one model."""

    model: str  # the provider's own name of the model
    turns: Sequence[Turn]
    """The context; a last one of role `assistant` is the beginning of the answer, to be gone on with."""
    parameters: Parameters = field(default_factory=Parameters)
    """What a provider has no word for, it leaves out."""
    extra: dict[str, Any] = field(default_factory=dict)  # the catalogue's `options:` of the model, passed through
    reattach: str | None = None
    """Go on with the answer that the provider keeps under this reference, instead of asking for a new one. Its chunks
    come again from the very start; the caller drops what it has already."""
    max_output_tokens: int | None = None
    """How long an answer of this model can be, for providers that insist on a limit."""
    take: Callable[[Sequence[Chunk]], bool] | None = None
    """A provider may give chunks to this instead of yielding them, in their order: at once, inside the socket's read.
    When it answers False the provider yields (perhaps nothing) before it reads on."""


class Provider(Protocol):
    """A connection to one provider, shared by all generations of a worker."""

    def stream(self, call: ProviderCall) -> AsyncGenerator[Sequence[Chunk], None]:
        """Yield the chunks as they arrive, those of one network read together; none if it only says that it works.

        Closing the iterator (`aclose`, or cancelling the task) closes the upstream connection at once. Use
        `contextlib.aclosing`: after a plain `break` the connection stays open until the garbage collector comes by.
        An answer for which `Attached` came goes on without us: a provider that keeps answers has
        `async def stop(reference)` as well. Raises ProviderError; every other exception is a defect.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...
