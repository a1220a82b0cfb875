// A run of an assistant read by the AI SDK's own chat, of the major that is given; and, after a reload, told once more.

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
    const api = `${task.url}/api/assistants/${task.assistant}`;
    const transport = new DefaultChatTransport({
      api,
      headers: headersOf(task),
      body: task.inputs ? { inputs: task.inputs } : {},
      prepareReconnectToStreamRequest: () => ({ api: `${api}/stream?run=${runId}`, headers: headersOf(task) }),
    });
    super({ id: "any id", transport, state });
  }

  told() {
    const answer = this.messages.findLast((message) => message.role === "assistant");
    const steps = (answer?.parts ?? []).filter((part) => part.type === "data-step").map((part) => part.data);
    return {
      steps: steps.map((step) => ({ ...step, text: outputOf(answer, step) })),
      metadata: answer?.metadata,
      error: this.error?.message,
      status: this.status,
      messages: this.messages.length,
      kinds: (answer?.parts ?? []).map((part) => part.type),
      states: (answer?.parts ?? []).filter((part) => part.type === "text").map((part) => part.state),
    };
  }
}

// As docs/architect.md has it.
function outputOf(message, step) {
  const of = (part) => part.providerMetadata?.studio ?? (part.type === "data-restarted" ? part.data : {});
  const mine = message.parts.filter((part) => of(part).lane !== undefined && of(part).lane === step.lane);
  const from = mine.findLastIndex((part) => part.type === "data-restarted" && part.data.kind === "text");
  return mine.slice(from + 1).filter((part) => part.type === "text").map((part) => part.text).join("");
}

await perform({
  async assistant(task) {
    const chat = new Chat(task);
    await chat.sendMessage({ text: task.prompt });
    const { metadata } = chat.told();
    const page = new Chat(task, { messages: chat.messages.slice(0, 1), runId: metadata?.runId });
    await page.resumeStream();
    return { first: chat.told(), again: page.told() };
  },
});
