"""What Anthropic's models are asked in the same words wherever they run: how they think.

Their thinking comes with a signature, and a turn in which the model thought and then asked for tools is to be told
with it. Our log has no place for signatures. The newer, `adaptive` way to think does without; the older one, with a
budget, answers 400, so it is left off where results of tools follow (docs/adr/0012).
"""

from typing import Any

from services.inference.providers.base import ProviderCall
from services.inference.providers.effort import budget
from services.inference.providers.turn_groups import answers_tools

EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh"}


def thinking(call: ProviderCall, limit: int | None) -> dict[str, Any]:
    """The fields `thinking` and `output_config`, from the catalogue's and the effort that is asked for."""
    given = call.extra.get("thinking")
    fields: dict[str, Any] = {}
    effort = call.parameters.reasoning_effort
    if isinstance(given, dict) and given.get("type") == "enabled":  # the older way
        tokens = budget(call.parameters, limit) if effort else given.get("budget_tokens")
        begun = bool(call.turns) and call.turns[-1].role == "assistant"
        wanted = tokens and not begun and not answers_tools(call.turns)
        return {"thinking": {**given, "budget_tokens": tokens}} if wanted else {"thinking": None}
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    if effort is not None:
        config = call.extra.get("output_config")
        fields["output_config"] = {**(config if isinstance(config, dict) else {}), "effort": EFFORTS[effort]}
    if given is not None:
        fields["thinking"] = given
    return fields
