from collections.abc import AsyncIterator

from services.commands.sse import Event, read_events


async def parse(*chunks: bytes) -> list[Event]:
    async def source() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return [event async for event in read_events(source())]


async def test_events_are_the_same_however_the_bytes_are_cut() -> None:
    stream = "retry: 100\nid: 7\nevent: a\ndata: жё\ndata: two\n\n: hb\nevent: b\ndata:x\r\n\r\n".encode()
    expected = [Event("7", "a", "жё\ntwo"), Event("7", "b", "x")]
    for size in range(1, len(stream)):
        assert await parse(*(stream[at : at + size] for at in range(0, len(stream), size))) == expected


async def test_half_an_event_is_dropped() -> None:
    assert await parse(b"data: whole\n\ndata: half") == [Event("", "message", "whole")]
