"""One example of every request and its result; the other part of the catalogue."""

from typing import Any, NamedTuple

from contracts import chat, completions
from contracts.architect_examples import ARCHITECT_EXCHANGES
from contracts.catalogue import CONVERSATION, CREATED, ENDED, OWNER, REPLY, RUN
from contracts.compare_examples import COMPARE_EXCHANGES
from contracts.content import Image, ToolResult, ToolUse, Turn
from contracts.generation import ListModels, ModelList, Parameters, ProviderState, Timeouts, TokenUsage
from contracts.message import Problem, Reply, Request, Value
from contracts.notifier_examples import NOTIFIER_EXCHANGES


class Exchange(NamedTuple):
    """A request, and what it may be answered with."""

    request: Request[Any]
    result: Value

    def reply(self) -> Reply[Any]:
        """The answer as it goes over the bus."""
        return reply_type(type(self.request))(result=self.result)


def reply_type(request: type[Request[Any]]) -> type[Reply[Any]]:
    """The type of the answers to a request."""
    return Reply[request.RESULT]  # type: ignore[name-defined]


QUESTION = "msg_01k3x9v4t2aaaaaaaaaaaaaaaa"

_conversation = chat.Conversation(
    id=CONVERSATION,
    title="Hello",
    system="Be brief.",
    pinned=True,
    archived=True,
    head_id=REPLY,
    forked_from="conv_01k3x9v4t1",
    created_at=CREATED,
    updated_at=ENDED,
)
_message = chat.ChatMessage(
    id=REPLY,
    conversation_id=CONVERSATION,
    parent_id=QUESTION,
    client_id="msg-8fk2",
    role="assistant",
    content="Hello, Ada",
    images=(Image(media_type="image/png", attachment="att_01k3x9v4t2"),),
    tool_calls=(ToolUse(call_id="call_1", name="weather", arguments="{}"),),
    tool_results=(ToolResult(call_id="call_1", name="weather", output="rain", failed=True),),
    reasoning="They greet me.",
    status="failed",
    model="demo-swift",
    run_id=RUN,
    finish_reason="stop",
    error=Problem(code="provider_unavailable", message="The model server does not answer."),
    usage=TokenUsage(input_tokens=12, output_tokens=3, reasoning_tokens=2, cached_input_tokens=4),
    cost_usd="0.000018",
    omitted_messages=4,
    rating=chat.Rating(value="up", comment="Just right."),
    created_at=ENDED,
)
_run = chat.Run(
    id=RUN,
    kind="chat",
    status="failed",
    conversation_id=CONVERSATION,
    message_id=REPLY,
    model="demo-swift",
    text="Hello, Ada",
    revealed=True,
    cost_usd="0.000018",
    error=Problem(code="provider_unavailable", message="The model server does not answer."),
    created_at=CREATED,
    ended_at=ENDED,
)
_asked: dict[str, Any] = {
    "model": "demo-swift",
    "fallbacks": ("demo-sage",),
    "parameters": Parameters(temperature=0.2, max_tokens=500),
    "timeouts": Timeouts(first_token_seconds=30, silence_seconds=20, total_seconds=600),
    "idempotency_key": "7f3c",
}
_started = chat.RunStarted(run_id=RUN, conversation_id=CONVERSATION, message_id=REPLY, replayed=True)
_of_conversation: dict[str, Any] = {"owner": OWNER, "conversation_id": CONVERSATION}
_of_run: dict[str, Any] = {"owner": OWNER, "run_id": RUN}

EXCHANGES = (
    Exchange(chat.CreateConversation(**_of_conversation, title="Hello", system="Be brief."), _conversation),
    Exchange(
        chat.ImportConversation(
            **_of_conversation,
            title="Hello",
            turns=(
                Turn(role="system", content="Be brief."),
                Turn(role="user", content="Hello", images=(Image(url="https://example.com/cat.png"),)),
                Turn(role="assistant", content="Hello, Ada"),
            ),
            model="demo-swift",
        ),
        _conversation,
    ),
    Exchange(chat.GetConversation(**_of_conversation), _conversation),
    Exchange(
        chat.ListConversations(
            owner=OWNER, limit=50, before=CONVERSATION, archived=True, pinned=False, search="greeting"
        ),
        chat.ConversationPage(items=(_conversation,), next=CONVERSATION),
    ),
    Exchange(
        chat.UpdateConversation(
            **_of_conversation, title="Hello again", system="", pinned=True, archived=False, head_id=REPLY
        ),
        _conversation,
    ),
    Exchange(chat.DeleteConversation(**_of_conversation), chat.Deleted()),
    Exchange(
        chat.ListMessages(**_of_conversation, limit=100, after="2", all_branches=True),
        chat.MessagePage(items=(_message,), next="4"),
    ),
    Exchange(
        chat.SendMessage(
            **_of_conversation,
            **_asked,
            notify="when_away",
            create=True,
            create_missing=True,
            system="Be brief.",
            run_id=RUN,
            content="Hello",
            images=(Image(url="https://example.com/cat.png"),),
            tool_results=(ToolResult(call_id="call_1", output="rain"),),
            client_id="msg-8fk2",
            edits=QUESTION,
            after=REPLY,
            on_busy="queue",
        ),
        _started,
    ),
    Exchange(
        chat.Regenerate(
            **_of_conversation, **_asked, run_id=RUN, message_id=REPLY, on_busy="interrupt", notify="never"
        ),
        _started,
    ),
    Exchange(
        chat.ForkConversation(**_of_conversation, new_conversation_id="conv_01k3x9v4t3", message_id=REPLY),
        _conversation,
    ),
    Exchange(
        chat.RateMessage(**_of_conversation, message_id=REPLY, rating=chat.Rating(value="up", comment="Just right.")),
        _message,
    ),
    Exchange(
        chat.GetAttachment(**_of_conversation, attachment="att_01k3x9v4t2"),
        chat.Attachment(media_type="image/png", data="iVBORw0KGgo="),
    ),
    Exchange(chat.LatestRun(**_of_conversation), _run),
    Exchange(chat.StopConversation(**_of_conversation), _run),
    Exchange(
        completions.StartCompletion(
            **_of_run,
            **_asked,
            turns=(Turn(role="user", content="Hello"),),
            after="chat_01k3x9v4t1",
            labels={"ticket": "42"},
        ),
        _started,
    ),
    Exchange(
        completions.GetCompletion(**_of_run),
        completions.Completion(
            run=_run,
            asked=(Turn(role="user", content="Hello"),),
            after="chat_01k3x9v4t1",
            parameters=Parameters(temperature=0.2),
            labels={"ticket": "42"},
            answer=_message,
        ),
    ),
    Exchange(completions.DeleteCompletion(**_of_run), chat.Deleted()),
    Exchange(chat.GetRun(**_of_run), _run),
    Exchange(chat.ListRuns(owner=OWNER, limit=50, before=RUN), chat.RunPage(items=(_run,), next=RUN)),
    Exchange(chat.CancelRun(**_of_run), _run),
    Exchange(
        chat.ReplayRun(**_of_run),
        chat.StoredRun(
            run=_run, events=('{"type":"run.completed","lane":"run","at":1767225602000,"run_id":"chat_1"}',)
        ),
    ),
    Exchange(
        ListModels(),
        ModelList(
            models=({"id": "demo-swift", "name": "Demo Swift", "provider": "demo", "context_window": 32000},),
            providers=(ProviderState(name="demo", circuit="closed"),),
        ),
    ),
    *(Exchange(request, result) for request, result in (*COMPARE_EXCHANGES, *ARCHITECT_EXCHANGES, *NOTIFIER_EXCHANGES)),
)
