// The official OpenAI SDK with only its base URL changed: chat completions or responses, as given.

import OpenAI from "openai";

import { given, pause, perform } from "./io.mjs";

const AGAIN_MS = 300;
const MOST_TRIES = 40;

const client = (task, token = task.token) => new OpenAI({ baseURL: `${task.url}/v1`, apiKey: token, maxRetries: 5 });

async function overAndOver(once) {
  for (let tries = 0; ; tries++) {
    try {
      return await once();
    } catch (error) {
      if ((error.status && error.status < 500) || tries === MOST_TRIES) throw error;
      await pause(AGAIN_MS);
    }
  }
}

const chat = {
  body: (task, more) => ({ model: task.model, messages: [{ role: "user", content: task.prompt }], ...more }),

  async read(task, { key, body, onText = () => {}, signal } = {}) {
    const told = { text: "", reasoning: "", calls: [] };
    const sent = { ...(body ?? this.body(task)), stream: true, stream_options: { include_usage: true } };
    const headers = key ? { "Idempotency-Key": key } : {};
    for await (const chunk of await client(task).chat.completions.create(sent, { headers, signal })) {
      if (chunk.usage) told.usage = { input: chunk.usage.prompt_tokens, output: chunk.usage.completion_tokens };
      const [choice] = chunk.choices;
      if (!choice) continue;
      told.text += choice.delta.content ?? "";
      told.reasoning += choice.delta.reasoning_content ?? "";
      for (const call of choice.delta.tool_calls ?? []) {
        const one = (told.calls[call.index] ??= { name: "", arguments: "", id: call.id });
        one.name += call.function?.name ?? "";
        one.arguments += call.function?.arguments ?? "";
      }
      told.finish = choice.finish_reason ?? told.finish;
      onText(told.text);
    }
    return told;
  },

  // There is no cursor in this protocol: the same Idempotency-Key is the same answer, told again from its start.
  send(task) {
    const key = crypto.randomUUID();
    return overAndOver(async () => {
      const told = await this.read(task, { key });
      if (!told.finish) throw new Error("the stream ended without a finish reason");
      return told;
    });
  },

  async late(task) {
    const key = crypto.randomUUID();
    const gone = new AbortController();
    await this.read(task, { key, signal: gone.signal, onText: (text) => text && gone.abort() }).catch(() => {});
    await client(task).chat.completions.create(this.body(task), { headers: { "Idempotency-Key": key } });
    return this.read(task, { key });
  },

  async stop(task) {
    const gone = new AbortController();
    let said = "";
    const onText = (text) => (said = text).length >= task.enough && gone.abort();
    await this.read(task, { signal: gone.signal, onText }).catch(() => {});
    return { text: said };
  },

  async tools(task) {
    const tools = task.tools.map((tool) => ({ type: "function", function: tool }));
    const asked = await this.read(task, { body: this.body(task, { tools }) });
    const [call] = asked.calls;
    const messages = [
      { role: "user", content: task.prompt },
      {
        role: "assistant",
        tool_calls: [{ id: call.id, type: "function", function: { name: call.name, arguments: call.arguments } }],
      },
      { role: "tool", tool_call_id: call.id, content: JSON.stringify(task.result) },
    ];
    const answered = await this.read(task, { body: { model: task.model, messages, tools } });
    return { ...answered, calls: asked.calls, finish: asked.finish };
  },
};

const responses = {
  async read(task, state, { onText = () => {} } = {}) {
    const api = client(task).responses;
    const sent = { model: task.model, input: state.input ?? task.prompt, tools: state.tools, background: true, stream: true };
    const stream = state.id
      ? await api.retrieve(state.id, { stream: true, starting_after: state.at })
      : await api.create(sent, { headers: { "Idempotency-Key": state.key } });
    for await (const event of stream) {
      state.at = event.sequence_number;
      if (event.type === "response.created") state.id = event.response.id;
      else if (event.type === "response.output_text.delta") state.text += event.delta;
      else if (event.type.startsWith("response.reasoning") && event.type.endsWith("_text.delta")) state.reasoning += event.delta;
      else if (["response.completed", "response.failed", "response.incomplete"].includes(event.type)) state.last = event.response;
      onText(state.text);
    }
    if (!state.last) throw new Error("the stream ended without an ending");
    return this.told(state);
  },

  told({ text, reasoning, last, id }) {
    const usage = last.usage && { input: last.usage.input_tokens, output: last.usage.output_tokens };
    const calls = last.output.filter((item) => item.type === "function_call");
    return { text, reasoning, usage, status: last.status, error: last.error?.message, calls, id };
  },

  begin: (more) => ({ key: crypto.randomUUID(), text: "", reasoning: "", ...more }),

  send(task) {
    const state = this.begin();
    return overAndOver(() => this.read(task, state));
  },

  async late(task) {
    const { id } = await this.send(task);
    const stored = await client(task).responses.retrieve(id);
    const again = await this.read(task, this.begin({ id }));
    if (stored.output_text !== again.text) throw new Error(`stored ${stored.output_text}, told ${again.text}`);
    return again;
  },

  async stop(task) {
    const state = this.begin();
    let asked = false;
    const onText = (text) => {
      if (asked || text.length < task.enough) return;
      asked = true;
      client(task).responses.cancel(state.id);
    };
    const told = await this.read(task, state, { onText });
    return { ...told, status: (await client(task).responses.retrieve(state.id)).status };
  },

  async tools(task) {
    const tools = task.tools.map((tool) => ({ type: "function", ...tool, strict: false }));
    const asked = await this.read(task, this.begin({ tools }));
    const [call] = asked.calls;
    const input = [
      { role: "user", content: task.prompt },
      { type: "function_call", call_id: call.call_id, name: call.name, arguments: call.arguments },
      { type: "function_call_output", call_id: call.call_id, output: JSON.stringify(task.result) },
    ];
    const answered = await this.read(task, this.begin({ tools, input }));
    return { ...answered, calls: asked.calls };
  },

  async unknown(task) {
    const { id } = await this.send(task);
    const seen = (asked) =>
      client(task, task.stranger).responses.retrieve(asked).then(
        (found) => found.status,
        (error) => error.status,
      );
    return { unknown: await seen("resp_0123456789abcdef"), foreign: await seen(id) };
  },
};

const api = { chat, responses }[given.api];
const fail = (task) => api.send(task).catch((error) => ({ error: error.message, kind: error.constructor.name }));
await perform({
  fail,
  ...Object.fromEntries(["send", "late", "stop", "tools", "unknown"].map((name) => [name, (task) => api[name]?.(task)])),
});
