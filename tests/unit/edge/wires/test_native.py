"""The native stream: the log's own JSON, with a cursor on every frame."""

from services.edge.wires.native import NativeWire
from tests.fixtures import run_events as run
from tests.fixtures.events import parse


def test_every_event_has_its_cursor_and_the_first_says_how_long_to_wait() -> None:
    wire = NativeWire()
    log = run.log(run.created(), run.said("He"), run.said("llo"))
    raw = wire.open("e1") + wire.frames(log[:1]) + wire.frames(log[1:])
    assert raw.startswith(b"retry: 1000\nid: e1-11\nevent: run.created\n")
    assert raw.count(b"retry: ") == 1
    assert [(event.id, event.type) for event in parse(raw)] == [
        ("e1-11", "run.created"),
        ("e1-18", "generation.delta"),
        ("e1-25", "generation.delta"),
    ]
    assert not wire.breaks_off


def test_a_reset_and_a_farewell_have_no_cursor() -> None:
    wire = NativeWire()
    (reset,) = parse(wire.open("e1", "gone"))
    (farewell,) = parse(wire.leaving(700))
    assert (reset.type, reset.data["reason"], reset.id) == ("reset", "gone", "")
    assert (farewell.type, farewell.data["code"], farewell.id) == ("notice", "reconnect", "")
