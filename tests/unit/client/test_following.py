"""How the client library follows a run: what it asks for after what went wrong."""

import httpx
import pytest

from studio_client import ApiError, Loss, LostError, Patience, UnreachableError
from tests.unit.client.scripted import CREATED, END, HEL, LO, QUICK, WHOLE, Server, frame, problem, stream

POST = "POST /v1/conversations/new/messages"
EVENTS = "GET /v1/runs/chat_1/events"
BROKEN = httpx.ReadError("reset by peer")
ALL = CREATED + HEL + LO + WHOLE + END


async def test_an_unbroken_answer_takes_one_request() -> None:
    server = Server(stream(ALL))
    run = server.studio().send("Hi", model="m", system="s")
    types = [event.type async for event in run]
    assert types == ["run.created", "generation.delta", "generation.delta", "generation.completed", "run.completed"]
    assert (run.id, run.transcript.text(), run.cursor) == ("chat_1", "Hello", "e-5")
    assert server.asked == [POST]
    assert server.seen[0].read() == b'{"content":"Hi","model":"m","system":"s"}'


@pytest.mark.parametrize("fault", [None, BROKEN, httpx.ReadTimeout("silence"), httpx.RemoteProtocolError("cut")])
async def test_it_goes_on_behind_the_last_whole_event(fault: Exception | None) -> None:
    for cut in range(len(CREATED), len(ALL), 5):
        had = ALL[: ALL.rfind(b"\n\n", 0, cut) + 2]
        server = Server(stream(ALL[:cut], fault=fault), stream(ALL[len(had) :]))
        told = [event.cursor async for event in server.studio().send("Hi")]
        assert told == [f"e-{number}" for number in range(1, 6)], f"cut at byte {cut}"
        number = had.count(b"\n\n")
        assert server.asked[1:] == [f"{EVENTS} e-{number}"], f"cut at byte {cut}"


async def test_a_message_that_was_not_answered_is_sent_again_under_its_key() -> None:
    server = Server(stream(location=""), httpx.ReadError("x"), problem(503, "unavailable"), stream(ALL))
    assert (await server.studio().send("Hi").wait()).text() == "Hello"
    assert server.asked == [POST] * 4
    assert len({request.headers["idempotency-key"] for request in server.seen}) == 1


async def test_a_run_that_is_known_by_its_address_is_not_asked_for_again() -> None:
    server = Server(stream(CREATED[:20], fault=BROKEN), stream(ALL))
    assert (await server.studio().send("Hi").wait()).text() == "Hello"
    assert server.asked == [POST, EVENTS]


async def test_while_the_bus_is_away_it_waits() -> None:
    server = Server(stream(CREATED, HEL), problem(503, "unavailable", {"retry-after": "0"}), BROKEN, stream(LO, END))
    losses: list[Loss] = []
    run = server.studio().send("Hi", on_loss=losses.append)
    assert (await run.wait()).text() == "Hello"
    assert [loss.reason for loss in losses] == [
        *("the connection was closed", "No: not now (HTTP 503)", "the connection broke")
    ]
    assert server.asked[1:] == [f"{EVENTS} e-2"] * 3


async def test_a_server_that_stops_says_when_to_come_back() -> None:
    notice = b'retry: 20\nevent: notice\ndata: {"type":"notice","lane":"run","code":"reconnect"}\n\n'
    server = Server(stream(CREATED, HEL, notice), stream(LO, END))
    losses: list[Loss] = []
    run = server.studio().send("Hi", on_loss=losses.append)
    assert (await run.wait()).text() == "Hello"
    assert server.asked[1:] == [f"{EVENTS} e-2"], "a notice has no cursor of its own"
    assert 0.015 <= losses[0].pause <= 0.025


async def test_a_server_that_only_ever_says_come_back_is_not_waited_for_for_ever() -> None:
    notice = b'event: notice\ndata: {"type":"notice","lane":"run","code":"reconnect"}\n\n'
    server = Server(*(stream(notice) for _ in range(1000)))
    with pytest.raises(LostError):
        await server.studio(Patience(lost=0.05, pause=0.001, longest_pause=0.01)).run("chat_1").wait()


async def test_a_reset_drops_what_was_told() -> None:
    reset = b'event: reset\ndata: {"type":"reset","lane":"run"}\n\n'
    server = Server(stream(CREATED, HEL, LO), stream(reset, CREATED, HEL, LO, END))
    assert (await server.studio().send("Hi").wait()).text() == "Hello"


async def test_nothing_left_is_over_without_an_ending() -> None:
    server = Server(httpx.Response(204))
    run = server.studio().run("chat_1", "e-5")
    assert [event async for event in run] == []
    assert (run.over, run.transcript.ending) == (True, None)
    assert server.asked == [f"{EVENTS} e-5"]


@pytest.mark.parametrize(("status", "code"), [(404, "unknown_run"), (401, "unauthenticated"), (503, "no_model")])
async def test_a_refusal_that_does_not_pass_is_an_error_at_once(status: int, code: str) -> None:
    server = Server(problem(status, code))
    with pytest.raises(ApiError, match=rf"No: not now \(HTTP {status}\)") as error:
        await server.studio().send("Hi").wait()
    assert (error.value.status, error.value.code) == (status, code)


async def test_who_never_answered_is_unreachable_and_who_was_lost_is_told_with_the_cursor() -> None:
    with pytest.raises(UnreachableError, match=r"nothing answers at http://studio \(nobody answers\)"):
        await Server(httpx.ConnectError("refused")).studio().send("Hi").wait()
    impatient = Patience(first=0, lost=0)
    with pytest.raises(LostError) as error:
        await Server(stream(CREATED, HEL)).studio(impatient).send("Hi").wait()
    assert (error.value.run_id, error.value.cursor) == ("chat_1", "e-2")


async def test_who_is_patient_seeks_a_server_that_is_not_up_yet() -> None:
    refused = httpx.ConnectError("refused")
    patience = Patience(first=5, lost=5, pause=0.001, longest_pause=0.01)
    run = Server(refused, refused, stream(ALL)).studio(patience).send("Hi")
    assert (await run.wait()).text() == "Hello"


async def test_a_followed_run_is_asked_for_by_an_id_that_cannot_leave_its_path() -> None:
    server = Server(problem(404, "unknown_run"))
    with pytest.raises(ApiError):
        await server.studio(QUICK).run("../models?x").wait()
    assert server.seen[0].url.raw_path == b"/v1/runs/..%2Fmodels%3Fx/events"


async def test_a_run_is_stopped_as_soon_as_its_id_is_known() -> None:
    server = Server(stream(CREATED, HEL), httpx.ReadError("x"), httpx.Response(200, json={"status": "running"}))
    async with server.studio().send("Hi") as run:
        assert await run.cancel() == {"status": "running"}
    assert server.asked == [POST, *["POST /v1/runs/chat_1/cancel"] * 2]


async def test_an_answer_is_made_again_like_a_message_is_sent() -> None:
    server = Server(stream(CREATED, fault=BROKEN), stream(HEL, LO, END))
    run = server.studio().regenerate("conv_1", "msg/1", parameters={"temperature": 1})
    assert (await run.wait()).text() == "Hello"
    assert server.seen[0].url.raw_path == b"/v1/conversations/conv_1/messages/msg%2F1/regenerate"
    assert server.seen[0].read() == b'{"parameters":{"temperature":1}}'
    assert server.asked[1:] == [f"{EVENTS} e-1"]


async def test_a_frame_that_is_no_json_is_skipped() -> None:
    server = Server(stream(CREATED, b"data: nonsense\n\n", frame(2, "generation.delta", text="x"), END))
    assert (await server.studio().send("Hi").wait()).text() == "x"
