// A comparison read by the AI SDK's own chat, of the major that is given; and, after a reload, told once more.

import { given, headersOf, perform } from "./io.mjs";

const { AbstractChat, DefaultChatTransport } = await import(given.package);

class Chat extends AbstractChat {
  constructor(task, { messages = [], runId } = {}) {
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
      api: `${task.url}/api/compare`,
      headers: headersOf(task),
      body: { models: task.models, blind: task.blind },
      prepareReconnectToStreamRequest: () => ({ api: `${task.url}/api/compare/${runId}/stream`, headers: headersOf(task) }),
    });
    super({ id: "any id", transport, state });
  }

  told() {
    const answer = this.messages.findLast((message) => message.role === "assistant");
    const slots = (answer?.parts ?? []).filter((part) => part.type === "data-slot").map((part) => part.data);
    return {
      slots: slots.map((data, slot) => ({ ...data, text: textOf(answer, slot) })),
      metadata: answer?.metadata,
      error: this.error?.message,
      status: this.status,
      messages: this.messages.length,
      whole: JSON.stringify(answer),
    };
  }
}

// As docs/compare.md has it.
function textOf(message, slot) {
  const of = (part) => part.providerMetadata?.studio ?? (part.type === "data-restarted" ? part.data : {});
  const mine = message.parts.filter((part) => of(part).slot === slot);
  const from = mine.findLastIndex((part) => part.type === "data-restarted" && part.data.kind === "text");
  return mine.slice(from + 1).filter((part) => part.type === "text").map((part) => part.text).join("");
}

await perform({
  async compare(task) {
    const chat = new Chat(task);
    await chat.sendMessage({ text: task.prompt });
    const { metadata } = chat.told();
    const page = new Chat(task, { messages: chat.messages.slice(0, 1), runId: metadata?.runId });
    await page.resumeStream();
    return { first: chat.told(), again: page.told() };
  },
});
