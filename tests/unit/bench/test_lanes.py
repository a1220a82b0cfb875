"""Of several lanes in one stream, the first word and the end are told."""

from bench.client import END, OTHER, Frame, Kind
from bench.lanes import first_only
from bench.targets import product


def test_only_the_first_text_and_the_end_of_the_run_are_told() -> None:
    decode = first_only(product.decoder())
    told = [
        decode(event)
        for event in (
            b'{"type":"run.created"}',
            b'{"type":"generation.delta","text":" a;","lane":"x"}',
            b'{"type":"generation.delta","text":" b;","lane":"y"}',
            b'{"type":"generation.restarted","lane":"y"}',
            b'{"type":"generation.completed","text":" a;","lane":"x"}',
            b'{"type":"run.completed"}',
        )
    ]
    assert told == [OTHER, Frame(Kind.TEXT, " a;"), OTHER, OTHER, OTHER, END]


def test_a_run_that_failed_is_told() -> None:
    assert first_only(product.decoder())(b'{"type":"run.failed"}').kind is Kind.FAILED
