"""From a client's request to what is asked of chat: only what is new in it counts, the history is ours."""

from typing import Any

from pydantic import ValidationError

from contracts import chat
from contracts.message import Owner
from kit.refusal import Refused
from services.edge.aisdk.body import ChatBody, UiMessage
from services.edge.aisdk.content import images_of, tool_results_of
from services.edge.chat_ids import is_ours, made_id, message_id_of

Command = chat.SendMessage | chat.Regenerate

UNKNOWN = frozenset({"unknown_conversation", "unknown_message"})


class Asked:
    """One request of a client, for an owner."""

    def __init__(
        self, body: ChatBody, owner: Owner, conversation: str, on_busy: chat.OnBusy, key: str | None = None
    ) -> None:
        self.body, self._owner, self._conversation = body, owner, conversation
        self._on_busy, self._key = on_busy, key
        self._guesses = body.trigger is None

    @property
    def goes_on(self) -> str | None:
        """The client's message that the answer is added to, if it is: what its tools answered is in it."""
        last = self.body.last
        return last.id if last.role == "assistant" and self.body.trigger != "regenerate-message" else None

    def command(self, run_id: str) -> Command:
        """What it asks of chat. Raises Refused."""
        last = self.body.last
        if self.body.trigger == "regenerate-message":
            return self.regenerate(run_id, self.body.message_id or last.id)
        if last.role == "user":
            return self._send(run_id, last, edits=self._edits)
        if last.role == "assistant":
            results = tool_results_of(last)
            if results:
                calls = [result.call_id for result in results]
                return self._build(
                    chat.SendMessage,
                    run_id,
                    **self._beginning(),
                    content="",
                    tool_results=results,
                    client_id=made_id("tools", last.id or "", *calls),
                )
        raise Refused("nothing_new", "The last message is neither a user's nor one with new results of tools.")

    def regenerate(self, run_id: str, message_id: str | None) -> Command:
        """The last answer once more, or that one. The one that is going, if there is one, is of no use then."""
        on_busy = self.body.on_busy or "interrupt"
        return self._build(chat.Regenerate, run_id, message_id=message_id_of(message_id), on_busy=on_busy)

    def again(self, run_id: str, started: chat.RunStarted, newest: chat.Run) -> Command | None:
        """The message has been sent before, and that started a run: what is meant now? None: to see that run.

        AI SDK 4 says neither that it wants another answer nor, mostly, which message it is. An answer that is still
        going is joined; one that has ended is to be given again. A list of one message that is not our newest comes
        from a client that sends only the last one: then the same words are said once more.
        """
        if not self._guesses:
            return None
        client_id = self._client_id(self.body.last)
        if newest.id == started.run_id:
            return None if newest.status in ("queued", "running") else self.regenerate(run_id, client_id)
        if self.body.last.id is None and len(self.body.messages) == 1:
            return self._send(run_id, self.body.last, edits=False, known=False)
        return self.regenerate(run_id, client_id)

    def otherwise(self, run_id: str, refusal: str) -> Command | None:
        """What is asked when the command was refused for what we know, or do not know, of the client's message.

        A message that did not reach us is regenerated, or edited, by being sent; one that we have in other words was
        edited.
        """
        last = self.body.last
        if last.role != "user":
            return None
        if refusal == "client_id_conflict" and not self._edits:
            return self._send(run_id, last, edits=True)
        if refusal in UNKNOWN and (self._edits or self.body.trigger == "regenerate-message"):
            return self._send(run_id, last, edits=False)
        return None

    @property
    def _edits(self) -> bool:
        return self.body.message_id is not None and self.body.message_id == self.body.last.id

    def _send(self, run_id: str, message: UiMessage, *, edits: bool, known: bool = True) -> Command:
        client_id = self._client_id(message) if known else None
        return self._build(
            chat.SendMessage,
            run_id,
            **self._beginning(),
            content=message.text,
            images=images_of(message),
            client_id=client_id,
            edits=client_id if edits else None,
        )

    def _beginning(self) -> dict[str, Any]:
        """An id of our own names a conversation that exists; any other one may begin it."""
        chat_id = self.body.chat_id
        if chat_id is not None and is_ours(chat_id):
            return {}
        return {"create": chat_id is None, "create_missing": chat_id is not None, "system": self.body.first_system}

    def _client_id(self, message: UiMessage) -> str | None:
        if message.id:
            return message_id_of(message.id)
        if not self._guesses:
            return None
        place = sum(1 for other in self.body.messages if other.role == "user")
        return made_id("nth", str(place), message.text)

    def _build(self, kind: type[Command], run_id: str, **fields: Any) -> Command:
        body = self.body
        common = {
            "owner": self._owner,
            "conversation_id": self._conversation,
            "run_id": run_id,
            "model": body.model,
            "fallbacks": body.fallbacks,
            "parameters": body.parameters,
            "on_busy": body.on_busy or self._on_busy,
            "notify": body.notify,
            "idempotency_key": self._key,
        }
        try:
            return kind(**common | fields)
        except ValidationError as error:
            mistakes = [f"{'.'.join(map(str, m['loc']))}: {m['msg']}" for m in error.errors(include_input=False)[:5]]
            raise Refused("invalid_request", "; ".join(mistakes)) from error
