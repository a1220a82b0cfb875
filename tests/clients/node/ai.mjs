// The AI SDK's own chat, of the major that is given: what useChat is made of, without React around it.
// Its user does what the SDK's documentation says: resume after a lost connection, and on a page that is opened again.

import { given, headersOf, pause, perform, untilEnded } from "./io.mjs";

const { AbstractChat, DefaultChatTransport } = await import(given.package);

const resuming = given.resuming && (await import("../../../examples/browser/ai-sdk.js")).resumingFetch;

const AGAIN_MS = 300;
const MOST_TRIES = 40;

// Node's fetch with the errors of a browser's: by their words the SDK tells a lost connection from any other error.
async function browserFetch(input, init) {
  const named = (words) => (error) => {
    throw error.name === "AbortError" ? error : new TypeError(words);
  };
  const response = await fetch(input, init).catch(named("Failed to fetch"));
  const reader = response.body?.getReader();
  const body = reader && {
    async pull(controller) {
      const { done, value } = await reader.read().catch(named("network error"));
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  };
  const { status, statusText, headers } = response;
  return new Response(body ? new ReadableStream(body, { highWaterMark: 0 }) : null, { status, statusText, headers });
}

class Chat extends AbstractChat {
  constructor(task, { id = crypto.randomUUID(), messages = [], token = task.token } = {}) {
    const state = {
      status: "ready",
      error: undefined,
      messages,
      pushMessage: (message) => (state.messages = [...state.messages, message]),
      popMessage: () => (state.messages = state.messages.slice(0, -1)),
      replaceMessage: (index, message) => (state.messages = state.messages.with(index, message)),
      snapshot: (value) => structuredClone(value),
    };
    const transport = new DefaultChatTransport({
      api: `${task.url}/api/chat`,
      headers: headersOf({ token }),
      body: { model: task.model },
      fetch: resuming ? resuming(browserFetch) : browserFetch,
      ...(resuming && { resumeStreamIsReplay: false }),
    });
    super({ id, transport, state });
    this.task = task;
  }

  // The rest of an answer whose connection was lost, over as many connections as it takes.
  async untilWhole(sending) {
    await sending;
    for (let tries = 0; this.status === "error" && tries < MOST_TRIES; tries++) {
      await pause(AGAIN_MS);
      await this.resumeStream();
    }
    return this.told();
  }

  // The documented handler: the SDK's own stop only closes the connection.
  async stopForGood() {
    await fetch(`${this.task.url}/api/chat/${this.id}/stop`, { method: "POST", headers: headersOf(this.task) });
    await this.stop();
  }

  told() {
    const last = this.messages.at(-1);
    const answer = last?.role === "assistant" ? last : undefined;
    const joined = (type) => (answer?.parts ?? []).filter((part) => part.type === type).map((part) => part.text).join("");
    const tools = (answer?.parts ?? []).filter((part) => part.type.startsWith("tool-") || part.type === "dynamic-tool");
    return {
      text: joined("text"),
      reasoning: joined("reasoning"),
      calls: tools.map((part) => ({ name: part.toolName ?? part.type.slice(5), arguments: part.input, id: part.toolCallId })),
      metadata: answer?.metadata,
      usage: answer?.metadata?.usage && usageOf(answer.metadata.usage),
      error: this.error?.message,
      status: this.status,
      messages: this.messages.length,
    };
  }
}

function usageOf(usage) {
  return {
    input: usage.inputTokens ?? usage.input_tokens ?? usage.promptTokens,
    output: usage.outputTokens ?? usage.output_tokens ?? usage.completionTokens,
  };
}

await perform({
  async send(task) {
    const chat = new Chat(task);
    return chat.untilWhole(chat.sendMessage({ text: task.prompt }));
  },

  // The page is closed in mid-answer, the answer ends, and the page is opened again with what was kept of it.
  async late(task) {
    const chat = new Chat(task);
    const sending = chat.sendMessage({ text: task.prompt });
    while (!chat.told().text && chat.status !== "error") await pause(20);
    await chat.stop();
    await sending;
    await untilEnded(task);
    const page = new Chat(task, { id: chat.id, messages: chat.messages.slice(0, 1) });
    await page.resumeStream();
    return page.told();
  },

  async stop(task) {
    const chat = new Chat(task);
    const sending = chat.sendMessage({ text: task.prompt });
    while (chat.told().text.length < task.enough && chat.status !== "error") await pause(20);
    await chat.stopForGood();
    await sending;
    await untilEnded(task);
    return chat.told();
  },

  async fail(task) {
    const chat = new Chat(task);
    await chat.sendMessage({ text: task.prompt });
    return chat.told();
  },

  async tools(task) {
    const chat = new Chat(task);
    await chat.sendMessage({ text: task.prompt }, { body: { tools: task.tools } });
    const asked = chat.told();
    const [call] = asked.calls;
    if (!call) return asked;
    const result = { tool: call.name, toolCallId: call.id, output: task.result };
    await (chat.addToolOutput ?? chat.addToolResult).call(chat, result);
    await chat.sendMessage(undefined, { body: { tools: task.tools } });
    return { ...chat.told(), calls: asked.calls };
  },

  async regenerate(task) {
    const chat = new Chat(task);
    await chat.sendMessage({ text: task.prompt });
    await chat.regenerate();
    return chat.told();
  },

  async unknown(task) {
    const chat = new Chat(task);
    const sending = chat.sendMessage({ text: task.prompt });
    const seen = async (id) => {
      const strange = new Chat(task, { id, token: task.stranger });
      await strange.resumeStream();
      const { status, messages, error } = strange.told();
      return { status, messages, error };
    };
    await pause(AGAIN_MS);
    const told = { unknown: await seen("no-such-chat"), foreign: await seen(chat.id) };
    await sending;
    return told;
  },
});
