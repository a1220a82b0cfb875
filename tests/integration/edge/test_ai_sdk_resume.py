"""`/api/chat/{id}/stream` and `/stop`: nothing is lost when a connection is, and stop is stop."""

import random

import httpx

from tests.fixtures.bus import purge_run
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack
from tests.fixtures.ui_message import Message, complete
from tests.integration.edge.ai_sdk import data_text, messages, part_of, post, resume, submit, user

SEED = 20261127
COUNT = "300 numbers at 1000 tokens/s"


async def test_a_cut_stream_is_continued_from_its_cursor_or_told_from_its_start(stack: Stack) -> None:
    async with stack.client() as http:
        body = submit("chat", user(COUNT, "m1"), model="demo-marathon")
        raw, _ = await part_of(http, body, 3000)
        message = Message()
        message.take(complete(raw))
        before = message.valid()
        assert await resume(http, "chat", message) is message
        whole = await resume(http, "chat")
        again = await post(http, body)  # the POST sent once more, as some clients do
        assert whole is not None
        assert 0 < len(before) < len(message.valid())
        assert message.valid() == whole.valid() == again.valid()
        assert message.valid().split("\n\n")[1].split() == [str(number) for number in range(1, 301)]
        assert message.id == whole.id == again.id
        assert (message.finish, message.done, message.open) == ("stop", True, {})
        assert await resume(http, "chat", message) is None  # it has everything


async def test_every_cursor_of_a_stream_is_continued_exactly(stack: Stack) -> None:
    async with stack.client() as http:
        response = await http.post("/api/chat", json=submit("chat", user("Hello", "m1"), model="demo-thinker"))
        whole = Message()
        whole.take(response.content)
        assert whole.valid("reasoning")
        offsets = random.Random(SEED).sample(range(200, len(response.content)), 12)
        for offset in offsets:
            message = Message()
            message.take(complete(response.content[:offset]))
            if await resume(http, "chat", message) is not None:
                assert (message.parts, message.metadata) == (whole.parts, whole.metadata)


async def test_an_answer_that_ended_meanwhile_is_told_whole_also_when_its_log_is_gone(
    stack: Stack, servers: Servers
) -> None:
    async with stack.client() as http:
        body = submit("chat", user("Hello", "m1"), model="demo-thinker")
        raw, run_id = await part_of(http, body, 1500)
        half = Message()
        half.take(complete(raw))
        cursor = half.cursor

        async def ended() -> bool:
            return (await http.get(f"/v1/runs/{run_id}")).json()["status"] == "completed"

        await until(ended)
        whole = await resume(http, "chat")
        assert whole is not None
        await purge_run(servers, run_id)
        stored = await resume(http, "chat")
        assert stored is not None
        assert (stored.id, stored.valid(), stored.valid("reasoning")) == (
            whole.id,
            whole.valid(),
            whole.valid("reasoning"),
        )
        assert half.cursor == cursor
        assert await resume(http, "chat", half) is half
        assert (half.valid(), half.finish) == (whole.valid(), "stop")
        assert half.of("data-restarted") == []


async def test_there_is_nothing_to_resume_of_unknown_and_of_empty_chats(stack: Stack) -> None:
    async with stack.client() as http:
        empty = (await http.post("/v1/conversations", json={})).json()["id"]
        for chat in ("never", empty, "conv_" + "0" * 26):
            response = await http.get(f"/api/chat/{chat}/stream")
            assert (response.status_code, response.content) == (204, b"")
            response = await http.get("/api/chat", params={"chatId": chat})
            assert (response.status_code, response.content) == (200, b"")
        assert (await http.post("/api/chat/never/stop")).status_code == 404


async def test_stop_stops_the_answer_and_a_disconnect_does_not(stack: Stack) -> None:
    async with stack.client() as http:
        body = submit("chat", user("for 1 hour at 200 tok/s", "m1"), model="demo-marathon")
        raw, run_id = await part_of(http, body, 2000)
        assert (await http.get(f"/v1/runs/{run_id}")).json()["status"] == "running"
        kept = (await http.post("/api/chat/chat/stop")).json()
        assert (kept["id"], kept["status"]) == (run_id, "cancelled")
        half = Message()
        half.take(complete(raw))
        assert kept["text"].startswith(half.valid())
        told = await resume(http, "chat", half)
        assert told is half
        assert (told.aborted, told.done, told.valid()) == (True, True, kept["text"])
        old = await http.get("/api/chat", params={"chatId": "chat"})
        assert data_text(old.content) == kept["text"]


async def test_a_message_that_comes_while_an_answer_runs_does_as_it_says(stack: Stack) -> None:
    async with stack.client() as http:
        endless = submit("chat", user("for 1 hour", "m1"), model="demo-marathon")
        await part_of(http, endless, 1000)
        refused = await http.post("/api/chat", json=submit("chat", user("Hi", "m2"), onBusy="reject"))
        assert refused.status_code == 409
        told = await post(http, submit("chat", user("Hi", "m3"), onBusy="interrupt"))
        assert told.finish == "stop"
        stored = await messages(http, told.metadata["conversationId"])
        assert [message["status"] for message in stored if message["role"] == "assistant"] == ["cancelled", "completed"]


async def test_without_a_word_it_waits_for_its_turn(stack: Stack) -> None:
    async with stack.client() as http:
        slow = submit("chat", user("500 numbers at 100 tok/s", "m1"), model="demo-marathon")
        await part_of(http, slow, 1000)
        told = await post(http, submit("chat", user("Hi", "m2")))
        assert told.finish == "stop"
        assert told.transient[0]["type"] == "data-queued"
        stored = await messages(http, told.metadata["conversationId"])
        assert [message["status"] for message in stored] == ["completed"] * 4


async def test_a_cursor_of_an_earlier_answer_means_the_newest_from_its_start(stack: Stack) -> None:
    async with stack.client() as http:
        first = await post(http, submit("chat", user("One", "m1")))
        second = await post(http, submit("chat", user("Two", "m2")))
        response = await http.get("/api/chat/chat/stream", headers={"last-event-id": first.cursor or ""})
        told = Message()
        told.take(response.content)
        assert (told.id, told.valid()) == (second.id, second.valid())


async def test_other_web_pages_cannot_use_it_either(stack: Stack) -> None:
    page = {"origin": "http://elsewhere.example", "sec-fetch-site": "cross-site"}
    async with httpx.AsyncClient(base_url=stack.url, headers=page, trust_env=False) as http:
        assert (await http.post("/api/chat", json=submit("chat", user("Hi", "m1")))).status_code == 403
        assert (await http.get("/api/chat/chat/stream")).status_code == 403
        assert (await http.post("/api/chat/chat/stop")).status_code == 403
