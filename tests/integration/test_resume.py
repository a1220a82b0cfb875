"""A cut connection loses nothing: from the last event that arrived whole, the rest is exactly the rest."""

import asyncio
import random

import httpx
import pytest

from tests.fixtures.bus import purge_run
from tests.fixtures.events import Event, Told, follow, follow_in_full, opened, parse, send, shown
from tests.fixtures.raw_http import first_bytes, request
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack

SEED = 20261123
UMLAUTS = "Grüße aus Köln 🌊🌊 — straße, naïve, 日本語 \u2028 end"
LONG = f"{UMLAUTS}; {'and so on ' * 30}"
TEXTS = {"generation.delta", "generation.reasoning"}


def told_by(raw: bytes) -> list[Event]:
    """What a client has of a response that was cut after these bytes."""
    return parse(raw[: raw.rfind(b"\n\n") + 2])


def folded(events: list[Event]) -> list[tuple[str, str, str]]:
    """Per lane: neighbouring texts joined, everything else as it is. Equal for equal watchers."""
    lanes: dict[str, list[tuple[str, str, str]]] = {}
    for event in events:
        lane = lanes.setdefault(event.data["lane"], [])
        if event.type not in TEXTS:
            lane.append((event.data["lane"], event.type, str(event.data)))
        elif lane and lane[-1][1] == event.type:
            lane[-1] = (*lane[-1][:2], lane[-1][2] + event.data["text"])
        else:
            lane.append((event.data["lane"], event.type, event.data["text"]))
    return [entry for _, entries in sorted(lanes.items()) for entry in entries]


def interesting(raw: bytes) -> set[int]:
    """Every boundary of the format with its neighbours, the inside of characters, and a random sample."""
    found = set()
    for mark in (b"\n\n", b"\nid: ", b"\nevent: ", b"\ndata: ", b'"text":"', b"\n"):
        position = raw.find(mark)
        while position >= 0:
            found |= set(range(position, position + len(mark) + 2))
            position = raw.find(mark, position + 1)
    found |= {index for index, byte in enumerate(raw) if byte & 0xC0 == 0x80}  # inside a character
    found |= set(random.Random(SEED).sample(range(len(raw)), 200))
    return {offset for offset in found if offset <= len(raw)}


async def test_a_response_cut_at_any_byte_is_continued_without_gap_or_repeat(stack: Stack) -> None:
    async with stack.client() as http:
        told = await send(http, UMLAUTS, model="demo-thinker")
        url = f"/v1/runs/{told.run_id}/events"
        first = told.events[0]
        whole = await follow(http, url, after=first.id)
        assert folded([first, *whole.events]) == folded(told.events)
        tails: dict[str, list[Event]] = {first.id: whole.events, whole.events[-1].id: []}
        offsets = interesting(whole.raw)
        assert any(whole.raw[:n][-1:] >= b"\x80" for n in offsets if n), "some cut lies inside a character"
        for offset in sorted(offsets):
            had = told_by(whole.raw[:offset])
            cursor = had[-1].id if had else first.id
            if cursor not in tails:
                tails[cursor] = (await follow(http, url, after=cursor)).events
            rest = tails[cursor]
            assert [e.id for e in had + rest] == [e.id for e in whole.events], f"cut at byte {offset}"
            assert [e.data for e in had + rest] == [e.data for e in whole.events], f"cut at byte {offset}"
        assert len(tails) > len(whole.events) // 2


async def test_a_replay_cut_at_any_byte_is_continued_to_the_same(stack: Stack) -> None:
    """It is told in short: until all of it is told its cursor says "all of it again"."""
    async with stack.client() as http:
        told = await send(http, LONG, model="demo-thinker")
        url = f"/v1/runs/{told.run_id}/events"
        whole = await follow(http, url)
        assert whole.types == ["run.created", "generation.completed", "run.completed"]
        tails: dict[str, list[Event]] = {"": whole.events}
        for offset in sorted(interesting(whole.raw)):
            had = told_by(whole.raw[:offset])
            cursor = had[-1].id if had else ""
            if cursor not in tails:
                tails[cursor] = (await follow(http, url, after=cursor)).events
            assert shown(had + tails[cursor]) == shown(told.events), f"cut at byte {offset}"
        assert [rest[0].type for rest in tails.values() if rest] == ["run.created", "reset", "run.completed"]


@pytest.mark.parametrize("seed", range(6))
async def test_a_live_stream_cut_at_a_random_byte_is_continued_while_it_runs(stack: Stack, seed: int) -> None:
    dice = random.Random(SEED + seed)
    async with stack.client() as http:
        accepted = await http.post(
            "/v1/conversations/new/messages",
            json={"content": f"{UMLAUTS}; 120 tokens at 40 tokens per second", "model": "demo-marathon"},
        )
        url = accepted.json()["events_url"]
        had: list[Event] = []
        while not had or had[-1].type != "run.completed":
            headers = {"host": httpx.URL(stack.url).netloc.decode(), "authorization": http.headers["authorization"]}
            if had:
                headers["last-event-id"] = next(event.id for event in reversed(had) if event.id)
            raw = await first_bytes(stack.url, request("GET", url, headers), dice.randrange(1, 3000))
            had += told_by(raw)
        whole = await follow_in_full(http, url)
    places = [int(event.id[11:]) for event in had if event.id]
    assert [place for place in places if place] == sorted(set(places) - {0})
    assert shown(had) == shown(whole.events)
    assert "118 119 120" in whole.text()


async def test_two_watchers_and_one_who_joins_in_the_middle_see_the_same(stack: Stack) -> None:
    async with stack.client() as http, opened(http, "100 tokens at 50 tokens per second", model="demo-marathon") as one:
        raw, joined = b"", None
        async for piece in one.aiter_raw():
            raw += piece
            if joined is None and raw.count(b"generation.delta") > 20:
                url = f"/v1/runs/{told_by(raw)[0].data['run_id']}/events"
                joined = [asyncio.create_task(follow(http, url)) for _ in range(2)]
        assert joined is not None
        others = await asyncio.gather(*joined)
    told = parse(raw)
    assert told[-1].type == "run.completed"
    for other in others:
        assert shown(other.events) == shown(told)


async def test_who_joins_a_long_answer_in_the_middle_is_told_it_in_short(stack: Stack) -> None:
    async with stack.client() as http, opened(http, "600 tokens at 20 tokens per second", model="demo-marathon") as one:
        raw, joined = b"", None
        async for piece in one.aiter_raw():
            raw += piece
            if joined is None and raw.count(b"generation.delta") > 300:
                joined = asyncio.create_task(follow(http, f"/v1/runs/{told_by(raw)[0].data['run_id']}/events"))
        assert joined is not None
        other = await joined
        told = parse(raw)
        assert "generation.snapshot" not in {event.type for event in told}, "live nobody is told one"
        assert [event.type for event in other.events[:2]] == ["run.created", "generation.snapshot"]
        assert len(other.events) < len(told) - 50, "deltas are joined when everybody is busy"
        assert shown(other.events) == shown(told)
        snapshot = other.events[1]
        rest = await follow(http, f"/v1/runs/{other.run_id}/events", after=snapshot.id)
        assert [event.id for event in rest.events] == [event.id for event in other.events[2:]]


async def test_after_the_end_the_last_cursor_gets_nothing_more(stack: Stack) -> None:
    async with stack.client() as http:
        told = await send(http, "Hello")
        url = f"/v1/runs/{told.run_id}/events"
        last = told.events[-1].id
        for answer in (
            await http.get(url, headers={"last-event-id": last}),
            await http.get(url, params={"after": last}),
            await http.get(url, params={"after": told.events[0].id}, headers={"last-event-id": last}),
        ):
            assert (answer.status_code, answer.content) == (204, b"")


async def test_the_query_resumes_like_the_header(stack: Stack) -> None:
    async with stack.client() as http:
        told = await send(http, "Hello")
        url = f"/v1/runs/{told.run_id}/events"
        middle = told.events[len(told.events) // 2].id
        by_header = await http.get(url, headers={"last-event-id": middle})
        by_query = await http.get(url, params={"after": middle})
    assert by_header.content == by_query.content
    assert [event.id for event in parse(by_query.content)] == [e.id for e in told.events[len(told.events) // 2 + 1 :]]


@pytest.mark.parametrize(
    "cursor",
    ["garbage", "-", "-5", "5", "abc-", "abc-x", "abc--1", "abc-1.5", "a b-1", "abc-1-2", "abc-" + "9" * 20, "*"],
)
@pytest.mark.parametrize("running", [False, True], ids=["ended", "unknown"])
async def test_a_cursor_that_is_none_is_refused(stack: Stack, cursor: str, running: bool) -> None:
    async with stack.client() as http:
        run_id = "chat_0123456789" if running else await _ended_run(http)
        for options in ({"params": {"after": cursor}}, {"headers": {"last-event-id": cursor.encode()}}):
            answer = await http.get(f"/v1/runs/{run_id}/events", **options)  # type: ignore[arg-type]
            assert answer.status_code == 400
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "invalid_cursor"


_ended: dict[str, str] = {}


async def _ended_run(http: httpx.AsyncClient) -> str:
    """A run of this client that has ended."""
    key = http.headers["authorization"]
    if key not in _ended:
        _ended[key] = (await send(http, "Hello")).run_id
    return _ended[key]


async def test_a_cursor_from_another_log_or_beyond_the_end_resets_and_replays(stack: Stack) -> None:
    async with stack.client() as http:
        told = await send(http, "Hello")
        epoch, _, newest = told.events[-1].id.partition("-")
        for cursor in (f"0000000000-{newest}", "stored-1", f"{epoch}-{int(newest) + 1}", f"{epoch}-9{'0' * 18}"):
            again = await follow(http, f"/v1/runs/{told.run_id}/events", after=cursor)
            assert again.events[0].type == "reset", cursor
            assert again.events[0].id == "", "a reset moves no cursor"
            assert again.events[0].data["reason"]
            assert [e.data for e in again.events[1:]] == [e.data for e in told.events]


async def test_a_purged_run_is_told_from_what_is_stored(stack: Stack, servers: Servers) -> None:
    async with stack.client() as http:
        told = await send(http, UMLAUTS, model="demo-thinker")
        await purge_run(servers, told.run_id)
        url = f"/v1/runs/{told.run_id}/events"
        stored = await follow(http, url)
        kept = [kind for kind in told.types if kind not in TEXTS | {"generation.started"}]
        assert stored.types == kept
        for field in ("text", "reasoning", "finish_reason", "model", "usage", "cost_usd"):
            assert stored.one("generation.completed").get(field) == told.one("generation.completed").get(field), field
        assert stored.events[0].data == told.events[0].data
        told.events[-1].data.pop("ends")  # places in the log that is gone
        assert stored.events[-1].data == told.events[-1].data
        for number, event in enumerate(stored.events, start=1):
            rest = await follow(http, url, after=event.id)
            assert [e.id for e in rest.events] == [e.id for e in stored.events[number:]]
            assert rest.status == (200 if number < len(stored.events) else 204)
        from_the_log = await follow(http, url, after=told.events[2].id)
        assert [event.type for event in from_the_log.events] == ["reset", *kept]
        half_told = await follow(http, url, after=f"{told.events[0].id.partition('-')[0]}-0")
        assert [event.type for event in half_told.events] == ["reset", *kept]


async def test_a_purged_run_of_each_ending_is_told_with_that_ending(stack: Stack, servers: Servers) -> None:
    async with stack.client() as http:
        failed = await send(http, "fail with 401 after 5 tokens", model="demo-flaky")
        await purge_run(servers, failed.run_id)
        stored = await follow(http, f"/v1/runs/{failed.run_id}/events")
    assert stored.types == ["run.created", "generation.failed", "run.failed"]
    for kind in ("generation.failed", "run.failed"):
        assert stored.one(kind)["error"] == failed.one(kind)["error"]
    assert stored.one("generation.failed")["text"] == failed.text()


async def test_watching_alters_nothing(stack: Stack) -> None:
    async with stack.client() as http:
        told: Told = await send(http, "Hello")
        url = f"/v1/runs/{told.run_id}/events"
        answers = await asyncio.gather(*(follow(http, url) for _ in range(10)))
    assert {answer.raw for answer in answers} == {answers[0].raw}
