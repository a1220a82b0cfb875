"""`/api/chat` as the AI SDK uses it: chats under the client's ids, the history ours, the same message once."""

import json
from typing import Any

import pytest

from tests.fixtures.model_server import ModelServer
from tests.fixtures.stack import Stack
from tests.integration.edge.ai_sdk import data_stream, data_text, messages, post, resume, submit, user


async def test_a_client_that_sends_its_whole_history_duplicates_nothing(stack: Stack) -> None:
    async with stack.client() as http:
        first = await post(http, submit("my chat/1", user("My name is Ada", "m1")))
        assert first.finish == "stop"
        answer = {"id": first.id, "role": "assistant", "parts": [{"type": "text", "text": "something else"}]}
        history = [user("My name is Eve", "m1"), answer, user("What is my name?", "m2")]
        second = await post(http, submit("my chat/1", *history))
        assert "Ada" in second.valid()
        stored = await messages(http, second.metadata["conversationId"])
        assert [message["content"] for message in stored] == [
            "My name is Ada",
            first.valid(),
            "What is my name?",
            second.valid(),
        ]
        assert [message["id"] for message in stored if message["role"] == "assistant"] == [first.id, second.id]


async def test_the_same_message_sent_again_is_the_same_answer(stack: Stack) -> None:
    async with stack.client() as http:
        body = submit("chat", user("Hello", "m1"))
        first, second = await post(http, body), await post(http, body)
        assert (first.id, first.parts) == (second.id, second.parts)
        assert len(await messages(http, first.metadata["conversationId"])) == 2


async def test_the_same_chat_id_of_another_owner_is_another_chat(stack: Stack) -> None:
    async with stack.client() as ada, stack.client() as eve:
        mine = await post(ada, submit("chat", user("Hello", "m1")))
        theirs = await post(eve, submit("chat", user("Hello", "m1")))
        assert mine.metadata["conversationId"] != theirs.metadata["conversationId"]
        conversation = mine.metadata["conversationId"]
        refused = await eve.post("/api/chat", json=submit(conversation, user("Hi", "m2")))
        unknown = await eve.post("/api/chat", json=submit(f"{conversation[:-1]}0", user("Hi", "m2")))
        assert refused.status_code == unknown.status_code == 404
        assert refused.json() == unknown.json()
        assert await resume(eve, conversation) is None
        again = await post(ada, submit(conversation, user("Hi", "m2")))
        assert again.metadata["conversationId"] == conversation


async def test_another_answer_and_an_edited_message_are_branches(stack: Stack) -> None:
    async with stack.client() as http:
        first = await post(http, submit("chat", user("One", "m1")))
        other = await post(
            http, {**submit("chat", user("One", "m1")), "trigger": "regenerate-message", "messageId": first.id}
        )
        assert other.id != first.id
        edited = await post(http, submit("chat", user("Two", "m1"), messageId="m1"))
        assert "Two" in edited.valid()
        stored = await messages(http, first.metadata["conversationId"])
        assert [message["content"] for message in stored] == ["Two", edited.valid()]


async def test_a_message_that_did_not_arrive_is_sent_by_asking_for_its_answer_again(stack: Stack) -> None:
    async with stack.client() as http:
        refused = await http.post("/api/chat", json=submit("chat", user("One", "m1"), model="nothing"))
        assert refused.status_code == 422
        assert refused.headers["content-type"] == "application/problem+json"
        answer = await post(http, {**submit("chat", user("One", "m1")), "trigger": "regenerate-message"})
        assert answer.finish == "stop"


async def test_results_of_tools_go_back_in_the_message_that_asked(stack: Stack, model_server: ModelServer) -> None:
    await model_server.reply("", model="gpt-4o", tool_calls=[{"name": "weather", "arguments": {"city": "Rome"}}])
    await model_server.reply("It is sunny in Rome.", model="gpt-4o")
    tools = {"weather": {"description": "the weather", "inputSchema": {"type": "object", "properties": {}}}}
    question = user("How is the weather in Rome?", "m1")
    async with stack.client() as http:
        asked = await post(http, submit("chat", question, model="mock", tools=tools))
        (call,) = asked.of("tool-input-available")
        assert (call["toolName"], call["input"], asked.finish) == ("weather", {"city": "Rome"}, "tool-calls")
        part = {"type": "tool-weather", "toolCallId": call["toolCallId"], "input": call["input"]}
        part |= {"state": "output-available", "output": {"sky": "clear"}}
        last = {"id": asked.id, "role": "assistant", "parts": [{"type": "step-start"}, part]}
        body = submit("chat", question, last, model="mock", tools=tools, messageId=asked.id)
        told = await post(http, body)
        assert told.valid() == "It is sunny in Rome."
        assert told.id == asked.id  # the client's message goes on
        assert (await post(http, body)).parts == told.parts


@pytest.mark.parametrize("url", ["/api/chat", "/api/nexus/chat"])
async def test_ai_sdk_4_from_the_same_address(stack: Stack, url: str) -> None:
    def body(*texts: str) -> dict[str, Any]:
        roles = ("user", "assistant")
        said = [{"role": roles[place % 2], "content": text} for place, text in enumerate(texts)]
        return {"id": "old", "messages": said, "modelId": "demo-swift", "provider": "demo", "streamProtocol": "data"}

    async with stack.client() as http:
        first = await http.post(url, json=body("My name is Ada"))
        assert first.headers["x-vercel-ai-data-stream"] == "v1"
        parts = data_stream(first.content)
        assert [code for code, _ in parts if code != "0"] == ["f", "8", "8", "e", "d"]
        second = await http.post(url, json=body("My name is Ada", data_text(first.content), "What is my name?"))
        assert "Ada" in data_text(second.content)
        conversation = second.headers["x-conversation-id"]
        assert len(await messages(http, conversation)) == 4
        resumed = await http.get(url, params={"chatId": "old"})
        assert data_text(resumed.content) == data_text(second.content)
        again = await http.post(url, json=body("My name is Ada", data_text(first.content), "What is my name?"))
        assert again.status_code == 200, again.text
        assert again.headers["x-studio-run-id"] != second.headers["x-studio-run-id"]  # reload()
        stored = await messages(http, conversation)
        assert [message["content"] for message in stored[2:]] == ["What is my name?", data_text(again.content)]
        nothing = await http.get(url, params={"chatId": "never"})
        assert (nothing.status_code, nothing.content) == (200, b"")


async def test_the_predecessors_body_is_answered_as_it_did(stack: Stack) -> None:
    async with stack.client() as http:
        body = {
            "messages": [user("Hello", "m1")],
            "modelId": "demo-thinker",
            "provider": "demo",
            "conversationId": "0f8fad5b-d9cb-469f-a165-70867728950e",
            "reasoningEffort": "low",
            "responseMode": "standard",
            "enabledTools": [],
        }
        told = await post(http, body, "/api/nexus/chat")
        assert told.metadata["model"] == "demo-thinker"
        assert told.valid("reasoning")
        response = await http.get(f"/api/nexus/chat/{body['conversationId']}/stream")
        assert response.headers["x-conversation-id"] == told.metadata["conversationId"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": []},
        {"messages": [{"role": "assistant", "parts": [{"type": "text", "text": "hi"}]}]},
        {"messages": [{"role": "system", "content": "hi"}]},
        {"messages": [user("   ", "m1")]},
        {"messages": [{"role": "user", "parts": [{"type": "file", "mediaType": "application/pdf", "url": "data:a"}]}]},
        {"messages": [user("hi", "m1")], "id": "x" * 300},
        {"messages": [user("hi", "m1")], "id": "\ud800"},
        {"messages": [user("hi", "m1")], "temperature": 9},
        {"messages": [user("hi", "m1")], "tools": [{"name": ""}]},
        {"messages": [user("hi", "m1")], "onBusy": "shout"},
        {"messages": [user("hi", "m1")], "notify": "perhaps"},
        {"messages": [user("hi", "\ud800")]},
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_reason(stack: Stack, wrong: dict[str, Any]) -> None:
    async with stack.client() as http:
        body = json.dumps({"id": "chat", "trigger": "submit-message", **wrong})  # it writes half a surrogate pair
        response = await http.post("/api/chat", content=body, headers={"content-type": "application/json"})
        assert response.status_code == 422
        assert response.json()["detail"]
