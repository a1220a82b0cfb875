from studio_client.sse import Frame, Parser

STREAM = (
    "\ufeffretry: 100\nid: 7\nevent: a\ndata: жё\ndata: two\n\n: hb\nevent: b\r\ndata:x\r\n\r\ndata: z\r\rid: 9\n\n"
).encode()
FRAMES = [Frame("7", "a", "жё\ntwo"), Frame("7", "b", "x"), Frame("7", "message", "z")]


def parse(*chunks: bytes) -> list[Frame]:
    parser = Parser()
    return [frame for chunk in chunks for frame in parser.feed(chunk)]


def test_events_are_the_same_however_the_bytes_are_cut() -> None:
    for size in range(1, len(STREAM)):
        assert parse(*(STREAM[at : at + size] for at in range(0, len(STREAM), size))) == FRAMES


def test_half_an_event_is_dropped_and_its_id_is_not_remembered() -> None:
    parser = Parser("6")
    assert parser.feed(b"id: 7\ndata: half\n") == []
    assert Parser("6").feed(b"data: whole\n\n") == [Frame("6", "message", "whole")]


def test_an_id_with_a_nul_is_ignored_and_an_empty_one_resets() -> None:
    assert [frame.id for frame in parse(b"id: 1\ndata: a\n\nid: 2\0\ndata: b\n\nid\ndata: c\n\n")] == ["1", "1", ""]


def test_the_servers_wish_for_a_pause_is_kept_and_nonsense_is_not() -> None:
    parser = Parser()
    parser.feed(b"retry: soon\n\n")
    assert parser.retry_ms is None
    parser.feed(b"retry: 250\nretry: -1\n")
    assert parser.retry_ms == 250
