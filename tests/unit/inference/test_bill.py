"""What an answer costs over all the calls it took."""

from contracts.costs import Prices
from services.inference.bill import Bill
from services.inference.pickup import Past
from services.inference.providers.base import Usage
from services.inference.question import Weight

ASKED = Weight(["x" * 40])  # ten tokens
TOLD = Usage(input_tokens=12, output_tokens=5)


def bill(past: Past | None = None) -> Bill:
    made = Bill(past or Past())
    made.asked = ASKED
    return made


def test_one_call_costs_what_the_provider_says() -> None:
    made = bill()
    made.call("restart", "")
    usage = made.usage(TOLD, "hello", "")
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (12, 5, False)


def test_a_refused_call_costs_nothing() -> None:
    made = bill()
    made.call("restart", "")
    made.refused()
    assert made.usage(None, "", "").input_tokens == 0
    made.call("restart", "")
    assert not made.usage(TOLD, "hello", "").estimated


def test_a_stopped_call_is_estimated_from_the_texts() -> None:
    made = bill()
    made.call("restart", "")
    usage = made.usage(None, "y" * 8, "z" * 4)
    assert (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens, usage.estimated) == (10, 3, 1, True)


def test_each_call_that_was_answered_is_charged_for_the_question() -> None:
    made = bill()
    made.call("restart", "")
    made.call("prefill", "y" * 8)
    usage = made.usage(TOLD, "y" * 8 + "hello", "")
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (22, 7, True)


def test_words_that_were_dropped_were_paid_for() -> None:
    made = bill()
    made.call("restart", "")
    made.call("restart", "y" * 8)
    made.drop("y" * 8)
    usage = made.usage(TOLD, "hello", "")
    assert (usage.input_tokens, usage.output_tokens) == (22, 7)
    assert made.usage(None, "w" * 4, "").output_tokens == 3


def test_attempts_of_other_workers_count_if_they_wrote_something() -> None:
    made = bill(Past(attempts=2, text="y" * 8))
    made.call("prefill", "y" * 8)
    assert made.usage(TOLD, "y" * 8 + "hello", "").input_tokens == 32
    fruitless = bill(Past(attempts=2))
    fruitless.call("restart", "")
    assert fruitless.usage(TOLD, "hello", "").input_tokens == 12


def test_taking_up_a_kept_answer_is_not_paid_twice() -> None:
    made = bill(Past(attempts=1, text="y" * 8, reference="resp_1"))
    made.call("reattach", "y" * 8)
    usage = made.usage(TOLD, "y" * 8 + "hello", "")
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (12, 5, False)


def test_a_cost_is_written_in_plain_digits() -> None:
    prices = Prices.model_validate({"input": "0.5", "output": 2})
    made = bill()
    made.call("restart", "")
    assert made.cost(prices, made.usage(Usage(input_tokens=1), "", "")) == "0.0000005"
