"""Which model can be asked what, and how much it is."""

import pytest

from contracts.content import Image, Tool, ToolResult, ToolUse, Turn
from contracts.costs import TOKENS_PER_IMAGE
from contracts.generation import Parameters
from services.inference.bill import Bill
from services.inference.cards import ModelCard
from services.inference.pickup import Past
from services.inference.question import refusal, weight

PICTURE = Turn(role="user", images=(Image(media_type="image/png", data="iVBORw0KGgo="),))
CALLED = Turn(role="assistant", tool_calls=(ToolUse(call_id="1", name="weather", arguments="{}"),))
ANSWERED = Turn(role="tool", results=(ToolResult(call_id="1", output="rain"),))
HI = Turn(role="user", content="hi")
TOOLS = Parameters(tools=(Tool(name="weather", input_schema={"type": "object"}),))


def card(*capabilities: str) -> ModelCard:
    fields = {"id": "m", "name": "M", "provider": "p", "model": "m", "prices": {"input": 1, "output": 1}}
    return ModelCard.model_validate({**fields, "capabilities": capabilities})


@pytest.mark.parametrize(
    ("turns", "parameters", "code", "needs"),
    [
        ([PICTURE, HI], Parameters(), "vision_unsupported", "vision"),
        ([HI], TOOLS, "tools_unsupported", "tools"),
        ([HI, CALLED], Parameters(), "tools_unsupported", "tools"),
        ([HI, ANSWERED], Parameters(), "tools_unsupported", "tools"),
    ],
)
def test_a_model_is_not_asked_what_it_cannot_do(
    turns: list[Turn], parameters: Parameters, code: str, needs: str
) -> None:
    refused = refusal(card("text"), turns, parameters)
    assert refused is not None
    assert (refused.code, refused.retryable) == (code, False)
    assert refusal(card("text", needs), turns, parameters) is None


def test_a_plain_question_can_be_asked_of_any_model() -> None:
    assert refusal(card("text"), [HI], Parameters(temperature=1, stop=("x",))) is None


def test_everything_that_a_model_reads_is_counted() -> None:
    asked = weight([HI, PICTURE, CALLED, ANSWERED], TOOLS)
    assert "".join(asked.texts) == 'hiweather{}rainweather{"type":"object"}'
    assert asked.images == 1


def test_an_answer_that_broke_off_is_charged_for_its_images() -> None:
    bill = Bill(Past())
    bill.asked = weight([PICTURE], Parameters())
    bill.call("restart", "")
    assert bill.usage(None, "", "").input_tokens == TOKENS_PER_IMAGE
