"""What a request asks of a model: whether it can, and how much it is. Values in, values out."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from contracts.content import Turn
from contracts.generation import Parameters
from services.inference.cards import ModelCard
from services.inference.providers.base import ProviderError


@dataclass(frozen=True, slots=True)
class Weight:
    """What every call is charged for, as far as we can tell: the texts, and how many images."""

    texts: Sequence[str] = ()
    images: int = 0


def weight(turns: Sequence[Turn], parameters: Parameters) -> Weight:
    """Everything a model reads: what was said, the calls and their results, and the descriptions of the tools."""
    texts: list[str] = []
    for turn in turns:
        texts.append(turn.content)
        for call in turn.tool_calls:
            texts += (call.name, call.arguments)
        texts += (result.output for result in turn.results)
    for tool in parameters.tools:
        texts += (tool.name, tool.description or "", msgspec.json.encode(tool.input_schema).decode())
    return Weight(texts, sum(len(turn.images) for turn in turns))


def refusal(card: ModelCard, turns: Sequence[Turn], parameters: Parameters) -> ProviderError | None:
    """Why this model cannot be asked this; another one may. To leave something out would be another question."""
    if "vision" not in card.capabilities and any(turn.images for turn in turns):
        return ProviderError(
            "vision_unsupported",
            f"{card.name} cannot see images. Choose a model that can, or ask without them.",
            retryable=False,
        )
    talks_of_tools = any(turn.tool_calls or turn.results for turn in turns)
    if "tools" not in card.capabilities and (parameters.tools or talks_of_tools):
        return ProviderError(
            "tools_unsupported",
            f"{card.name} cannot use tools. Choose a model that can, or ask without them.",
            retryable=False,
        )
    return None
