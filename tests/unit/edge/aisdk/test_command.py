"""What a client's request asks of chat: of its messages only what is new."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from contracts import chat
from contracts.content import Tool, ToolChoice, ToolResult
from contracts.message import Owner
from kit.refusal import Refused
from services.edge.aisdk.body import ChatBody
from services.edge.aisdk.command import Asked
from services.edge.chat_ids import conversation_of, is_ours, message_id_of

OWNER = Owner(tenant="t", user="u")
OURS = "conv_01jd0000000000000000000000"
PIXEL = base64.b64encode(b"\x89PNG").decode()


def asked(**body: Any) -> Asked:
    parsed = ChatBody.model_validate({"id": "c", **body})
    return Asked(parsed, OWNER, conversation_of(OWNER, parsed.chat_id), "queue")


def sent(**body: Any) -> chat.SendMessage:
    command = asked(**{"trigger": "submit-message", **body}).command("chat_1")
    assert isinstance(command, chat.SendMessage)
    return command


def user(text: str, message_id: str | None = "m1", *parts: dict[str, Any]) -> dict[str, Any]:
    return {"id": message_id, "role": "user", "parts": [*parts, {"type": "text", "text": text}]}


def old(*texts: str) -> list[dict[str, Any]]:
    return [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(texts)]


def run(run_id: str, status: chat.RunStatus) -> chat.Run:
    return chat.Run(id=run_id, kind="chat", status=status, model="sage", created_at=datetime.now(UTC))


def started(run_id: str) -> chat.RunStarted:
    return chat.RunStarted(run_id=run_id, conversation_id="conv_1", message_id="msg_1")


def test_only_the_last_message_is_taken() -> None:
    command = sent(messages=[user("one"), {"id": "a", "role": "assistant", "parts": []}, user("two", "m2")])
    assert (command.content, command.client_id, command.edits) == ("two", "m2", None)
    assert (command.create, command.create_missing, command.on_busy) == (False, True, "queue")
    assert sent(message=user("last only")).content == "last only"


def test_what_a_run_wants_to_be_told_of_is_passed_on() -> None:
    for trigger in ("submit-message", "regenerate-message"):
        body = {"messages": [user("one", "m1")], "trigger": trigger, "notify": "always"}
        assert asked(**body).command("chat_1").notify == "always"
    assert sent(messages=[user("one", "m1")]).notify is None


def test_a_chat_is_the_same_conversation_for_its_owner_only() -> None:
    conversation = conversation_of(OWNER, "my chat")
    assert is_ours(conversation)
    assert conversation == conversation_of(OWNER, "my chat")
    others = [conversation_of(Owner(tenant="t", user="v"), "my chat"), conversation_of(OWNER, "my chat ")]
    assert len({conversation, *others}) == 3
    assert conversation_of(OWNER, OURS) == OURS
    assert is_ours(conversation_of(OWNER, "conv_mine"))
    assert conversation_of(OWNER, None) != conversation_of(OWNER, None)
    assert conversation_of(Owner(tenant="t", user="uc"), "x") != conversation_of(OWNER, "cx")


def test_a_conversation_of_ours_is_never_begun_by_its_id() -> None:
    command = sent(id=OURS, messages=[{"role": "system", "content": "Be kind."}, user("hi")])
    assert (command.create, command.create_missing, command.system) == (False, False, None)
    without = sent(id=None, messages=[{"role": "system", "content": "Be kind."}, user("hi")])
    assert (without.create, without.create_missing, without.system) == (True, False, "Be kind.")


def test_long_ids_of_messages_are_kept_as_digests() -> None:
    assert message_id_of("x" * 64) == "x" * 64
    assert len(message_id_of("x" * 65) or "") == 64
    assert message_id_of("x" * 65) != message_id_of("x" * 66)
    assert message_id_of("") is None


def test_an_edited_message_goes_beside_the_one_before() -> None:
    assert sent(messages=[user("new", "m1")], messageId="m1").edits == "m1"
    assert sent(messages=[user("new", "m2")], messageId="m1").edits is None


def test_another_answer_is_asked_for_by_the_answer_or_by_its_question() -> None:
    for body, expected in (({"messageId": "a1"}, "a1"), ({}, "m1")):
        command = asked(trigger="regenerate-message", messages=[user("hi")], **body).command("chat_1")
        assert isinstance(command, chat.Regenerate)
        assert (command.message_id, command.on_busy) == (expected, "interrupt")


def test_a_refusal_for_what_we_do_not_know_leads_to_what_was_meant() -> None:
    lost = asked(trigger="regenerate-message", messages=[user("hi")]).otherwise("chat_1", "unknown_conversation")
    assert isinstance(lost, chat.SendMessage)
    assert (lost.content, lost.edits) == ("hi", None)
    edit = asked(trigger="submit-message", messages=[user("hi")], messageId="m1")
    unknown = edit.otherwise("chat_1", "unknown_message")
    assert isinstance(unknown, chat.SendMessage)
    assert unknown.edits is None
    same_id = asked(trigger="submit-message", messages=[user("hi")]).otherwise("chat_1", "client_id_conflict")
    assert isinstance(same_id, chat.SendMessage)
    assert same_id.edits == "m1"
    assert edit.otherwise("chat_1", "client_id_conflict") is None
    assert edit.otherwise("chat_1", "unavailable") is None
    assert asked(trigger="submit-message", messages=[user("hi")]).otherwise("chat_1", "unknown_conversation") is None


def test_a_client_without_ids_says_the_same_thing_again() -> None:
    request = asked(messages=old("one", "answer", "two"))
    first = request.command("chat_1")
    assert isinstance(first, chat.SendMessage)
    assert first.client_id == sent(trigger=None, messages=old("one", "changed", "two")).client_id
    assert first.client_id != sent(trigger=None, messages=old("two")).client_id
    assert request.again("chat_2", started("chat_1"), run("chat_1", "running")) is None
    again = request.again("chat_2", started("chat_1"), run("chat_1", "failed"))
    assert isinstance(again, chat.Regenerate)
    assert (again.run_id, again.message_id) == ("chat_2", first.client_id)
    assert isinstance(request.again("chat_2", started("chat_1"), run("chat_9", "completed")), chat.Regenerate)


def test_a_client_that_sends_the_last_message_only_may_say_yes_twice() -> None:
    request = asked(messages=old("yes"))
    more = request.again("chat_2", started("chat_1"), run("chat_9", "completed"))
    assert isinstance(more, chat.SendMessage)
    assert more.client_id is None


def test_a_client_that_says_what_it_wants_gets_the_run_there_is() -> None:
    request = asked(trigger="submit-message", messages=[user("hi")])
    assert request.again("chat_2", started("chat_1"), run("chat_1", "completed")) is None


def test_results_of_the_last_step_go_back() -> None:
    def part(call: str, state: str, kind: str = "tool-weather", **more: Any) -> dict[str, Any]:
        return {"type": kind, "toolCallId": call, "state": state, **more}

    parts = [
        {"type": "step-start"},
        part("c1", "output-available", output=1),
        {"type": "step-start"},
        part("c2", "output-available", output={"sky": "clear"}),
        part("c3", "output-error", errorText="no such city"),
        part("c4", "output-denied"),
        part("c5", "output-available", "dynamic-tool", toolName="clock", output="noon"),
        part("c6", "input-available"),
    ]
    request = asked(trigger="submit-message", messages=[user("hi"), {"id": "a1", "role": "assistant", "parts": parts}])
    command = request.command("chat_1")
    assert isinstance(command, chat.SendMessage)
    assert command.tool_results == (
        ToolResult(call_id="c2", name="weather", output='{"sky":"clear"}'),
        ToolResult(call_id="c3", name="weather", output="no such city", failed=True),
        ToolResult(call_id="c4", name="weather", output="The user did not allow this call.", failed=True),
        ToolResult(call_id="c5", name="clock", output="noon"),
    )
    assert (command.content, request.goes_on) == ("", "a1")
    assert command.client_id == request.command("chat_2").client_id  # type: ignore[union-attr]


@pytest.mark.parametrize("wrapped", [True, False])
def test_results_of_version_4_go_back(wrapped: bool) -> None:
    calls = [
        {"toolCallId": f"c{step}", "toolName": "weather", "args": {}, "state": "result", "result": step, "step": step}
        for step in (0, 1)
    ]
    parts = [[{"type": "step-start"}, {"type": "tool-invocation", "toolInvocation": call}] for call in calls]
    message = {"role": "assistant", "content": "", "toolInvocations": calls}
    message |= {"parts": [part for step in parts for part in step]} if wrapped else {}
    assert sent(trigger=None, messages=[*old("hi"), message]).tool_results == (
        ToolResult(call_id="c1", name="weather", output="1"),
    )


@pytest.mark.parametrize(
    "message",
    [
        user("what?", "m1", {"type": "file", "mediaType": "image/png", "url": f"data:image/png;base64,{PIXEL}"}),
        user("what?", "m1", {"type": "file", "mimeType": "image/png", "data": PIXEL}),
        user("what?", "m1", {"type": "image", "image": f"data:image/png;base64,{PIXEL}"}),
        {
            "role": "user",
            "content": "what?",
            "experimental_attachments": [{"contentType": "image/png", "url": f"data:image/png;base64,{PIXEL}"}],
        },
    ],
)
def test_pictures_of_every_version(message: dict[str, Any]) -> None:
    command = sent(messages=[message])
    assert [(image.media_type, image.data) for image in command.images] == [("image/png", PIXEL)]
    assert command.content == "what?"


def test_a_picture_may_be_an_address() -> None:
    command = sent(messages=[user("?", "m1", {"type": "file", "mediaType": "image/png", "url": "https://a.b/c.png"})])
    assert command.images[0].url == "https://a.b/c.png"


@pytest.mark.parametrize(
    "file",
    [
        {"mediaType": "application/pdf", "url": "data:application/pdf;base64,AAAA"},
        {"mediaType": "image/png", "url": "data:image/png,notbase64"},
        {"mediaType": "image/png", "url": "http://a.b/c.png"},
        {"mediaType": "image/png", "url": "file:///etc/passwd"},
        {"mediaType": "image/png"},
        {"mediaType": "image/png", "url": ["data:"]},
        {"url": "data:text/html;base64,AAAA"},
    ],
)
def test_other_files_are_refused(file: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        sent(messages=[user("?", "m1", {"type": "file", **file})])


WEATHER = Tool(name="weather", description="w", input_schema={"type": "object"})


@pytest.mark.parametrize(
    "tools",
    [
        [{"type": "function", "function": {"name": "weather", "description": "w", "parameters": {"type": "object"}}}],
        [{"name": "weather", "description": "w", "inputSchema": {"jsonSchema": {"type": "object"}}}],
        {"weather": {"description": "w", "parameters": {"type": "object"}}},
    ],
)
def test_tools_in_every_form(tools: Any) -> None:
    assert sent(messages=[user("hi")], tools=tools).parameters.tools == (WEATHER,)


def test_parameters_under_the_names_of_every_version() -> None:
    new = {"maxOutputTokens": 5, "topP": 0.5, "stopSequences": ["x"], "reasoningEffort": "low", "modelId": "sage"}
    old_names = {"maxTokens": 5, "top_p": 0.5, "stop": "x", "reasoning_effort": "low", "model": "sage"}
    for body in (new, old_names):
        command = sent(messages=[user("hi")], toolChoice={"type": "tool", "toolName": "t"}, seed=None, **body)
        parameters = command.parameters
        assert (parameters.max_tokens, parameters.top_p, parameters.stop) == (5, 0.5, ("x",))
        assert (parameters.reasoning_effort, command.model, parameters.seed) == ("low", "sage", None)
        assert parameters.tool_choice == ToolChoice(mode="function", name="t")
    assert not sent(messages=[user("hi")]).parameters.model_fields_set


@pytest.mark.parametrize(
    "wrong", [{"tools": [1]}, {"tools": "x"}, {"toolChoice": 5}, {"messages": 5}, {"messages": [5]}, {"temperature": 9}]
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChatBody.model_validate({"messages": [user("hi")], **wrong})


def test_who_reads_which_stream() -> None:
    def reads_data(**body: Any) -> bool:
        return ChatBody.model_validate(body).speaks_data_stream

    assert reads_data(messages=old("hi"))
    assert not reads_data(messages=old("hi"), trigger="submit-message")
    assert reads_data(messages=[user("hi")], trigger="submit-message", streamProtocol="data")
    assert not reads_data(message=user("hi"))  # version 5, with a body of the application's own
