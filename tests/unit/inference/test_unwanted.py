"""What an error says of the parameters that were sent, and what is remembered of it."""

import json

import pytest

from services.inference.providers.unwanted import Unwanted, refused_names


def body(message: str, **fields: str) -> bytes:
    return json.dumps({"error": {"message": message, **fields}}).encode()


@pytest.mark.parametrize(
    ("said", "names"),
    [
        (body("Unsupported parameter: 'top_p' is not supported with this model.", param="top_p"), {"top_p"}),
        (body("Unsupported value", param="reasoning_effort", code="unsupported_value"), {"reasoning_effort"}),
        (body("Unsupported value: 'temperature' does not support 0.2. Only the default (1)."), {"temperature"}),
        (body("`temperature` and `top_p` are deprecated for this model."), {"temperature", "top_p"}),
        (body("Unrecognized request argument supplied: seed"), set()),
        (body("Unrecognized request argument supplied: seed", param="seed"), {"seed"}),
        (body("seed: Extra inputs are not permitted; see 'seed'"), {"seed"}),
        (body("Unknown parameter: 'parallel_tool_calls'."), {"parallel_tool_calls"}),
        (body("'stop' is not supported"), {"stop"}),
        (body("This is not supported, please stop sending it"), set()),
        (body("Invalid schema for response_format: 'oneOf' is not permitted.", param="response_format"), set()),
        (body("Tools are not supported by this model", param="tools"), set()),
        (body("temperature must be at most 1"), set()),
        (body("`temperature` may only be set to 1 when thinking is enabled."), {"temperature"}),
        (b"temperature: not supported by this build", {"temperature"}),
        (b"", set()),
    ],
)
def test_what_an_error_names(said: bytes, names: set[str]) -> None:
    assert refused_names(400, said) == names
    assert refused_names(422, said) == names
    assert refused_names(500, said) == set()


def test_what_was_refused_is_left_out_for_this_model_only() -> None:
    unwanted = Unwanted()
    assert unwanted.learn("m", {"temperature": 1, "top_p": 1}, {"temperature", "seed"})
    for model, left in (("m", {"top_p": 1}), ("n", {"temperature": 1, "top_p": 1})):
        fields = {"temperature": 1, "top_p": 1}
        unwanted.drop(model, fields)
        assert fields == left


def test_what_was_not_sent_teaches_nothing() -> None:
    assert not Unwanted().learn("m", {"top_p": 1}, {"temperature"})


def test_an_effort_that_a_model_does_not_have_costs_no_other_effort() -> None:
    unwanted = Unwanted()
    assert unwanted.learn("m", {"reasoning_effort": "minimal"}, {"reasoning_effort"})
    for effort, left in (("minimal", {}), ("low", {"reasoning_effort": "low"})):
        fields = {"reasoning_effort": effort}
        unwanted.drop("m", fields)
        assert fields == left
