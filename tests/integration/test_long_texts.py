"""Texts longer than a message of the bus: they go by reference inside, and nobody outside notices."""

import json

import httpx
import pytest

from tests.fixtures.babbler import Babbler, answer
from tests.fixtures.bus import plain_client, purge_run, subjects_of
from tests.fixtures.events import follow, parse, send
from tests.fixtures.stack import Stack

BUS_MESSAGE_BYTES = 256 * 1024
INLINE_BYTES = 100 * 1024
MAX_MESSAGE = 100_000


async def all_messages(http: httpx.AsyncClient, conversation: str, limit: int = 100) -> list[dict[str, str]]:
    """Every page."""
    found, mark = [], None
    while True:
        params = {"limit": limit, **({"after": mark} if mark else {})}
        answer = await http.get(f"/v1/conversations/{conversation}/messages", params=params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["items"] or not found
        found += page["items"]
        mark = page["next"]
        if mark is None:
            return found


@pytest.mark.parametrize("filler", ["x", "é", "🌊", "\x01", '"', "\n"], ids=ascii)
async def test_the_longest_message_of_any_character_is_answered(stack: Stack, filler: str) -> None:
    content = filler * (MAX_MESSAGE - 1) + "."
    body = json.dumps({"content": content, "model": "demo-swift"}, ensure_ascii=False).encode()
    headers = {"content-type": "application/json", "accept": "text/event-stream"}
    async with stack.client() as http:
        answer = await http.post("/v1/conversations/new/messages", content=body, headers=headers)
        told = parse(answer.content)
        assert told[-1].type == "run.completed"
        messages = await all_messages(http, told[0].data["conversation_id"])
    assert messages[0]["content"] == content


async def test_a_history_longer_than_a_bus_message_reaches_the_model(babbling: Stack, babbler: Babbler) -> None:
    """Characters that JSON writes with six: few tokens, and many bytes."""
    said = [letter * 20_000 for letter in "\x01\x02\x03\x04"]
    babbler.says = answer("Noted.")
    async with babbling.client() as http:
        conversation = (await http.post("/v1/conversations", json={})).json()["id"]
        for content in said:
            told = await send(http, content, conversation=conversation, model="mock")
            assert told.types[-1] == "run.completed"
        assert len(babbler.heard) > BUS_MESSAGE_BYTES
        asked = json.loads(babbler.heard)["messages"]
        assert [message["content"] for message in asked if message["role"] == "user"] == said
        assert [message["content"] for message in asked if message["role"] == "assistant"] == ["Noted."] * 3
        stored = await all_messages(http, conversation)
        assert [message["content"] for message in stored if message["role"] == "user"] == said
    async with plain_client(babbling.servers) as client:
        kept = await subjects_of(client, "OBJ_blobs", "$O.blobs.C.>")
        requests = await subjects_of(client, "WORK", ">")
    assert kept, "it went by reference"
    assert not requests, "the work is done"


async def test_pages_of_messages_are_bounded_and_complete(stack: Stack) -> None:
    async with stack.client() as http:
        first = await send(http, "0")
        conversation = first.one("run.created")["conversation_id"]
        for number in range(1, 4):
            await send(http, str(number), conversation=conversation)
        for limit in (1, 2, 3, 5, 8, 200):
            found = await all_messages(http, conversation, limit)
            assert [message["content"] for message in found if message["role"] == "user"] == ["0", "1", "2", "3"]
            assert len({message["id"] for message in found}) == len(found) == 8


async def test_messages_that_grow_on_the_bus_still_come_in_pages(stack: Stack) -> None:
    """A control character takes six bytes in JSON: two such messages are more than one message of the bus carries."""
    async with stack.client() as http:
        conversation = (await http.post("/v1/conversations", json={})).json()["id"]
        for _ in range(2):
            await send(http, "\x01" * 99_500 + ".", conversation=conversation)
        found = await all_messages(http, conversation)
    assert [len(message["content"]) for message in found if message["role"] == "user"] == [99_501] * 2


async def test_conversations_with_long_system_prompts_come_in_pages(stack: Stack) -> None:
    async with stack.client() as http:
        made = []
        for number in range(6):
            body = json.dumps({"title": str(number), "system": "🌊" * 100_000}, ensure_ascii=False).encode()
            answer = await http.post("/v1/conversations", content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 201, answer.text
            made.append(answer.json()["id"])
        found, mark = [], None
        while True:
            answer = await http.get("/v1/conversations", params={"before": mark} if mark else {})
            assert answer.status_code == 200, answer.text
            found += [each["id"] for each in answer.json()["items"]]
            mark = answer.json()["next"]
            if mark is None:
                break
    assert found == made[::-1]


@pytest.mark.parametrize("words", [22_000, 250_000], ids=["beyond a message", "beyond what NATS carries at all"])
async def test_an_answer_too_long_for_its_ending_is_whole_for_every_client(
    babbling: Stack, babbler: Babbler, words: int
) -> None:
    text = " ".join(str(number) for number in range(words))
    assert len(text) > INLINE_BYTES
    babbler.says = answer(text)
    async with babbling.client() as http:
        told = await send(http, "Count", model="mock")
        ending = told.one("generation.completed")
        assert told.text() == text
        assert ending["text"] == text
        assert "text_ref" not in ending
        url = f"/v1/runs/{told.run_id}"
        assert (await follow(http, f"{url}/events")).one("generation.completed")["text"] == text
        assert (await http.get(url)).json()["text"] == text
        assert (await all_messages(http, told.one("run.created")["conversation_id"]))[1]["content"] == text
        await purge_run(babbling.servers, told.run_id)
        assert (await follow(http, f"{url}/events")).one("generation.completed")["text"] == text
