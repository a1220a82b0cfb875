// The AI SDK 4: what its useChat does with the data stream, by the same function of its own.

import { callChatApi } from "@ai-sdk/ui-utils";

import { headersOf, pause, perform, untilEnded } from "./io.mjs";

const AGAIN_MS = 300;
const MOST_TRIES = 40;

class Chat {
  constructor(task, { id = crypto.randomUUID(), messages = [], token = task.token } = {}) {
    Object.assign(this, { task, id, messages, token });
  }

  async call(body, requestType) {
    this.aborter = new AbortController();
    this.error = undefined;
    const kept = this.messages;
    try {
      await callChatApi({
        api: `${this.task.url}/api/chat`,
        body: { id: this.id, messages: this.messages, model: this.task.model, ...body },
        streamProtocol: "data",
        headers: headersOf({ token: this.token }),
        abortController: () => this.aborter,
        restoreMessagesOnFailure: () => {},
        onUpdate: ({ message }) => (this.messages = [...kept, message]),
        onFinish: (message, { usage, finishReason }) => Object.assign(this, { usage, finishReason, finished: true }),
        generateId: () => crypto.randomUUID(),
        lastMessage: structuredClone(kept.at(-1)),
        requestType,
      });
    } catch (error) {
      if (error.name !== "AbortError") this.error = error;
    }
  }

  send(text, body) {
    this.messages = [...this.messages, { id: crypto.randomUUID(), role: "user", content: text, parts: [{ type: "text", text }] }];
    return this.call(body);
  }

  // A page that is opened again: the messages that were stored, and what is still being said.
  resume() {
    this.messages = this.messages.filter((message) => message.role === "user");
    return this.call({}, "resume");
  }

  async untilWhole(sending) {
    await sending;
    for (let tries = 0; this.error && tries < MOST_TRIES; tries++) {
      await pause(AGAIN_MS);
      await this.resume();
    }
    return this.told();
  }

  told() {
    const answer = this.messages.at(-1);
    const said = answer?.role === "assistant";
    const calls = (said && answer.toolInvocations) || [];
    return {
      role: answer?.role,
      text: said ? answer.content : "",
      reasoning: (said && answer.reasoning) || "",
      calls: calls.map((call) => ({ name: call.toolName, arguments: call.args, id: call.toolCallId })),
      usage: this.usage && { input: this.usage.promptTokens, output: this.usage.completionTokens },
      error: this.error?.message,
      status: this.error ? "error" : "ready",
      messages: this.messages.length,
    };
  }
}

await perform({
  async send(task) {
    const chat = new Chat(task);
    return chat.untilWhole(chat.send(task.prompt));
  },

  async late(task) {
    const chat = new Chat(task);
    const sending = chat.send(task.prompt);
    while (!chat.told().text && !chat.error) await pause(20);
    chat.aborter.abort();
    await sending;
    await untilEnded(task);
    await chat.resume();
    return chat.told();
  },

  async stop(task) {
    const chat = new Chat(task);
    const sending = chat.send(task.prompt);
    while (chat.told().text.length < task.enough && !chat.error) await pause(20);
    await fetch(`${task.url}/api/chat/${chat.id}/stop`, { method: "POST", headers: headersOf(task) });
    await sending;
    await untilEnded(task);
    return chat.told();
  },

  async fail(task) {
    const chat = new Chat(task);
    await chat.send(task.prompt);
    return chat.told();
  },

  async tools(task) {
    const chat = new Chat(task);
    await chat.send(task.prompt, { tools: task.tools });
    const asked = chat.told();
    const answer = chat.messages.at(-1);
    for (const part of answer.parts ?? []) {
      if (part.type === "tool-invocation") Object.assign(part.toolInvocation, { state: "result", result: task.result });
    }
    for (const call of answer.toolInvocations ?? []) Object.assign(call, { state: "result", result: task.result });
    await chat.call({ tools: task.tools });
    return { ...chat.told(), calls: asked.calls };
  },

  async regenerate(task) {
    const chat = new Chat(task);
    await chat.send(task.prompt);
    chat.messages = chat.messages.slice(0, -1); // as useChat's reload() does
    await chat.call({});
    return chat.told();
  },

  async unknown(task) {
    const chat = new Chat(task);
    const sending = chat.send(task.prompt);
    const seen = async (id) => {
      const strange = new Chat(task, { id, token: task.stranger });
      await strange.resume();
      const { status, messages, error, text } = strange.told();
      return { status, messages, error, text };
    };
    await pause(AGAIN_MS);
    const told = { unknown: await seen("no-such-chat"), foreign: await seen(chat.id) };
    await sending;
    return told;
  },
});
