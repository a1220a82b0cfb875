"""The official OpenAI SDK for Python with only its base URL changed; the actions of node/openai.mjs."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from openai import APIError, APIStatusError, AsyncOpenAI

AGAIN_SECONDS = 0.3
MOST_TRIES = 40
TASK_SECONDS = 60.0
AT_ONCE = 3

Task = dict[str, Any]
Told = dict[str, Any]


class Unfinished(Exception):  # noqa: N818
    """A stream that ended before its ending."""


def client(task: Task, token: str | None = None) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{task['url']}/v1", api_key=token or task["token"], max_retries=5)


async def over_and_over(once: Callable[[], Awaitable[Told]]) -> Told:
    for _ in range(MOST_TRIES):
        try:
            return await once()
        except APIStatusError as error:
            if error.status_code < 500:
                raise
        except APIError as error:
            if error.body is not None:  # an error that the server told in mid-stream
                raise
        except (OSError, Unfinished):
            pass
        except Exception as error:
            if not type(error).__module__.startswith("httpx"):  # a connection lost in mid-stream
                raise
        await asyncio.sleep(AGAIN_SECONDS)
    raise AssertionError("the answer never came to its end")


class Actions:
    """What both APIs share."""

    async def send(self, task: Task) -> Told:
        raise NotImplementedError

    async def fail(self, task: Task) -> Told:
        try:
            return await self.send(task)
        except APIError as error:
            return {"error": str(error), "kind": type(error).__name__}


class ChatCompletions(Actions):
    """There is no cursor in this protocol: the same Idempotency-Key is the same answer, told again from its start."""

    async def read(
        self, task: Task, key: str | None = None, enough: int | None = None, messages: Any = None, tools: Any = None
    ) -> Told:
        told: Told = {"text": "", "reasoning": "", "calls": [], "finish": None}
        more = {"tools": tools} if tools else {}
        stream = await client(task).chat.completions.create(
            model=task["model"],
            messages=messages or [{"role": "user", "content": task["prompt"]}],
            stream=True,
            stream_options={"include_usage": True},
            extra_headers={"Idempotency-Key": key} if key else {},
            **more,
        )
        async with stream:
            async for chunk in stream:
                if chunk.usage:
                    told["usage"] = {"input": chunk.usage.prompt_tokens, "output": chunk.usage.completion_tokens}
                for choice in chunk.choices:
                    told["text"] += choice.delta.content or ""
                    told["reasoning"] += getattr(choice.delta, "reasoning_content", None) or ""
                    for call in choice.delta.tool_calls or ():
                        if call.id:
                            told["calls"].append({"id": call.id, "name": "", "arguments": ""})
                        if call.function:
                            told["calls"][call.index]["name"] += call.function.name or ""
                            told["calls"][call.index]["arguments"] += call.function.arguments or ""
                    told["finish"] = choice.finish_reason or told["finish"]
                if enough is not None and len(told["text"]) >= enough:
                    break
        return told

    async def send(self, task: Task) -> Told:
        key = str(uuid.uuid4())

        async def once() -> Told:
            told = await self.read(task, key)
            if not told["finish"]:
                raise Unfinished
            return told

        return await over_and_over(once)

    async def late(self, task: Task) -> Told:
        key = str(uuid.uuid4())
        await self.read(task, key, enough=1)
        await client(task).chat.completions.create(
            model=task["model"],
            messages=[{"role": "user", "content": task["prompt"]}],
            extra_headers={"Idempotency-Key": key},
        )
        return await self.read(task, key)

    async def stop(self, task: Task) -> Told:
        return await self.read(task, enough=task["enough"])

    async def tools(self, task: Task) -> Told:
        tools = [{"type": "function", "function": tool} for tool in task["tools"]]
        asked = await self.read(task, tools=tools)
        (call,) = asked["calls"]
        function = {"name": call["name"], "arguments": call["arguments"]}
        messages = [
            {"role": "user", "content": task["prompt"]},
            {"role": "assistant", "tool_calls": [{"id": call["id"], "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": call["id"], "content": json.dumps(task["result"])},
        ]
        answered = await self.read(task, messages=messages, tools=tools)
        return {**answered, "calls": asked["calls"], "finish": asked["finish"]}


class Responses(Actions):
    """With `background`, and resumed behind the last `sequence_number`."""

    def begin(self, **more: Any) -> Told:
        return {"key": str(uuid.uuid4()), "at": None, "text": "", "reasoning": "", "id": None, "last": None, **more}

    async def read(self, task: Task, state: Told, on_text: Callable[[str], Awaitable[None]] | None = None) -> Told:
        api = client(task).responses
        if state["id"]:
            behind = {} if state["at"] is None else {"starting_after": state["at"]}
            stream: Any = await api.retrieve(state["id"], stream=True, **behind)
        else:
            more = {"tools": state["tools"]} if "tools" in state else {}
            stream = await api.create(
                model=task["model"],
                input=state.get("input", task["prompt"]),
                background=True,
                stream=True,
                extra_headers={"Idempotency-Key": state["key"]},
                **more,
            )
        async with stream:
            async for event in stream:
                state["at"] = event.sequence_number
                if event.type == "response.created":
                    state["id"] = event.response.id
                elif event.type == "response.output_text.delta":
                    state["text"] += event.delta
                elif event.type.startswith("response.reasoning") and event.type.endswith("_text.delta"):
                    state["reasoning"] += event.delta
                elif event.type in ("response.completed", "response.failed", "response.incomplete"):
                    state["last"] = event.response
                if on_text is not None:
                    await on_text(state["text"])
        if state["last"] is None:
            raise Unfinished
        return self.told(state)

    def told(self, state: Told) -> Told:
        last = state["last"]
        usage = last.usage and {"input": last.usage.input_tokens, "output": last.usage.output_tokens}
        calls = [item.model_dump() for item in last.output if item.type == "function_call"]
        error = last.error.message if last.error else None
        return {
            "text": state["text"],
            "reasoning": state["reasoning"],
            "usage": usage,
            "calls": calls,
            "status": last.status,
            "error": error,
            "id": state["id"],
        }

    async def send(self, task: Task) -> Told:
        state = self.begin()
        return await over_and_over(lambda: self.read(task, state))

    async def late(self, task: Task) -> Told:
        told = await self.send(task)
        stored = await client(task).responses.retrieve(told["id"])
        again = await self.read(task, self.begin(id=told["id"]))
        assert stored.output_text == again["text"]
        return again

    async def stop(self, task: Task) -> Told:
        state = self.begin()
        asked = False

        async def on_text(text: str) -> None:
            nonlocal asked
            if not asked and len(text) >= task["enough"]:
                asked = True
                await client(task).responses.cancel(state["id"])

        told = await self.read(task, state, on_text)
        return {**told, "status": (await client(task).responses.retrieve(state["id"])).status}

    async def tools(self, task: Task) -> Told:
        tools = [{"type": "function", **tool, "strict": False} for tool in task["tools"]]
        asked = await self.read(task, self.begin(tools=tools))
        (call,) = asked["calls"]
        conversation = [
            {"role": "user", "content": task["prompt"]},
            {key: call[key] for key in ("type", "call_id", "name", "arguments")},
            {"type": "function_call_output", "call_id": call["call_id"], "output": json.dumps(task["result"])},
        ]
        answered = await self.read(task, self.begin(tools=tools, input=conversation))
        return {**answered, "calls": asked["calls"]}

    async def unknown(self, task: Task) -> Told:
        told = await self.send(task)
        seen = {}
        for name, asked in (("unknown", "resp_0123456789abcdef"), ("foreign", told["id"])):
            seen[name] = 200
            try:
                await client(task, task["stranger"]).responses.retrieve(asked)
            except APIStatusError as error:
                seen[name] = error.status_code
        return seen


APIS: dict[str, Actions] = {"chat": ChatCompletions(), "responses": Responses()}


async def perform(api: str, tasks: list[Task]) -> dict[str, Told]:
    """What came of each task."""

    calm = asyncio.Semaphore(AT_ONCE)

    async def one(task: Task) -> Told:
        try:
            async with contextlib.nullcontext() if task["together"] else calm, asyncio.timeout(TASK_SECONDS):
                told: Told = await getattr(APIS[api], task["action"])(task)
                return told
        except Exception as error:
            return {"problem": repr(error)}

    return dict(zip([task["name"] for task in tasks], await asyncio.gather(*map(one, tasks)), strict=True))
