"""OpenAI's ids, made from a run's id and nothing else: any edge makes the same, and finds the run again."""

from contracts.ids import orchestrator_of
from kit.refusal import Refused

_RUN = "chat_"
_RESPONSE = "resp_"

UNKNOWN_RESPONSE = "There is no such response."


def completion_id(run_id: str) -> str:
    """The id of a chat completion."""
    return f"chatcmpl-{_suffix(run_id)}"


def response_id(run_id: str) -> str:
    """The id of a response."""
    return f"{_RESPONSE}{_suffix(run_id)}"


def item_id(kind: str, run_id: str, number: int) -> str:
    """The id of the n-th item (from 1) of a kind (`msg`, `rs`, `fc`) in a response's output."""
    return f"{kind}_{_suffix(run_id)}" if number == 1 else f"{kind}_{_suffix(run_id)}_{number}"


def input_item_id(kind: str, run_id: str, number: int) -> str:
    """The id of the n-th item (from 1) of a response's input."""
    return f"{kind}_{_suffix(run_id)}_in_{number}"


def run_of(response: str) -> str:
    """The run of a response's id. One that is none is refused like one that is unknown."""
    run_id = _RUN + response.removeprefix(_RESPONSE)
    if not response.startswith(_RESPONSE) or orchestrator_of(run_id) is None:
        raise Refused("unknown_response", UNKNOWN_RESPONSE)
    return run_id


def _suffix(run_id: str) -> str:
    return run_id.removeprefix(_RUN)
