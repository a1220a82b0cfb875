"""Whole tool calls from the fragments in which servers stream them."""

import msgspec

from services.inference.providers.base import ProviderError, ToolCall

MAX_CALLS = 128  # of one answer
MAX_ARGUMENT_CHARACTERS = 1024 * 1024  # of all calls of one answer


class FunctionDelta(msgspec.Struct):
    """A fragment of a call's name and arguments (a JSON text)."""

    name: str | None = None
    arguments: str | None = None


class ToolCallDelta(msgspec.Struct):
    """A fragment of one call; only the first one of a call carries `id` and the name."""

    index: int | None = None
    id: str | None = None
    function: FunctionDelta | None = None


class _Call:
    __slots__ = ("arguments", "call_id", "name")

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.name = ""
        self.arguments: list[str] = []


class ToolCalls:
    """The calls of one answer while they grow."""

    __slots__ = ("_calls", "_characters", "_current")

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._current: dict[int, _Call] = {}  # by the server's index
        self._characters = 0

    def add(self, deltas: list[ToolCallDelta]) -> None:
        """Take in the fragments of one chunk. Raises ProviderError if the answer is larger than any honest one."""
        for delta in deltas:
            call = self._call(delta)
            if delta.function is None:
                continue
            if delta.function.name:
                call.name = delta.function.name
            if fragment := delta.function.arguments:
                self._characters += len(fragment)
                call.arguments.append(fragment)
        if len(self._calls) > MAX_CALLS or self._characters > MAX_ARGUMENT_CHARACTERS:
            raise ProviderError(
                "provider_bad_response", "The model asked for more tool calls than can be handled.", retryable=False
            )

    def complete(self, *, cut_off: bool) -> list[ToolCall]:
        """All calls in order; of an answer that was cut off, only those whose arguments are whole JSON."""
        calls = []
        for position, call in enumerate(self._calls):
            arguments = "".join(call.arguments)
            if call.name and not (cut_off and not _is_json(arguments)):
                calls.append(ToolCall(call.call_id or f"call_{position}", call.name, arguments or "{}"))
        return calls

    def _call(self, delta: ToolCallDelta) -> _Call:
        index = delta.index or 0
        call = self._current.get(index)
        # Some servers leave the index out or at 0 for every call: then a new id is a new call.
        if call is None or (delta.id and call.call_id and delta.id != call.call_id):
            call = self._current[index] = _Call(delta.id or "")
            self._calls.append(call)
        return call


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return False
    return True
