"""While telemetry is off it is not there: no spans, no headers, no measuring, no middleware."""

import pytest
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Status, StatusCode

from kit.bus.connection import Bus
from kit.runlog.measured import MeasuredLaneWriter
from kit.runlog.writers import LogWriters
from kit.settings import BusSettings
from kit.telemetry import measures, setup
from kit.telemetry.context import trace_headers
from kit.telemetry.export import silent
from kit.telemetry.spans import in_trace_of, note, span, untraced
from services.edge import tracing

KEPT = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}


@pytest.fixture(autouse=True)
def off() -> None:
    assert not setup.enabled()


def test_all_spans_are_one_object_that_does_nothing() -> None:
    assert span("a") is span("b", carrier=KEPT) is in_trace_of(KEPT, "c") is untraced()
    with span("a") as current:
        assert not current.is_recording()
        assert trace_headers() == {}
        note("a", "b")


def test_nothing_is_put_between_a_message_and_its_handler() -> None:
    assert setup.broker_middlewares() == ()


def test_lanes_are_written_by_the_plain_writer() -> None:
    assert LogWriters(Bus(BusSettings(), "test"))._make is not MeasuredLaneWriter


def test_the_http_framework_traces_nothing() -> None:
    config = tracing.config()
    assert not config["tracing"]
    assert not config["metrics"]
    assert not config["logs"]


def test_starting_without_an_endpoint_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(setup.ENDPOINT, raising=False)
    setup.start_telemetry("test")
    assert not setup.enabled()
    setup.stop_telemetry()


@pytest.mark.parametrize("kind", ["delta", "reasoning"])
def test_the_age_of_a_delta_is_in_its_bytes(kind: str) -> None:
    assert (
        measures.delta_at(b'{"type":"generation.%b","lane":"main","at":17,"text":"\\"at\\":5"}' % kind.encode()) == 17
    )
    assert measures.delta_at(b'{"type":"generation.started","lane":"main","at":17}') is None


def test_a_span_leaves_without_the_words_of_its_error() -> None:
    words = {"exception.message": "secret", "exception.stacktrace": "secret", "exception.type": "ValueError"}
    told = ReadableSpan(
        "name",
        attributes={"url.query": "secret", "http.route": "/v1"},
        events=[Event("exception", words, 1)],
        status=Status(StatusCode.ERROR, "ValueError: secret"),
    )
    shown = silent(told)
    assert "secret" not in repr((dict(shown.attributes or {}), [dict(e.attributes or {}) for e in shown.events]))
    assert shown.status.description is None
    assert shown.status.status_code is StatusCode.ERROR
    assert shown.events[0].attributes == {"exception.type": "ValueError"}
    assert dict(shown.attributes or {}) == {"http.route": "/v1"}
