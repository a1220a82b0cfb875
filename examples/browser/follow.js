// Follows a run with plain fetch: every event once, over any number of lost connections.
//
//   const started = await (await fetch("/v1/conversations/new/messages", {
//     method: "POST",
//     headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
//     body: JSON.stringify({ content: "Hello" }),
//   })).json();
//   const texts = {};
//   for await (const event of follow(started.events_url)) fold(texts, event);
//   console.log(texts.main);
//
// Keep event.cursor (in localStorage, say), and a page that is opened again goes on with { cursor }.

const ENDINGS = new Set(["run.completed", "run.failed", "run.cancelled"]);
const NOT_NOW = new Set([429, 502, 503, 504]);
const SILENCE_MS = 45_000; // the server sends at least a comment every 15 s

export async function* follow(url, { cursor = "", headers = {}, signal } = {}) {
  let retry = 1000;
  for (let vain = 0; ; vain++) {
    if (vain > 0) await pause(Math.min(retry * 2 ** (vain - 1), 30_000) * (0.75 + Math.random() / 2), signal);
    const connection = new AbortController();
    const abort = () => connection.abort(signal.reason);
    signal?.addEventListener("abort", abort);
    try {
      const sent = cursor ? { ...headers, "Last-Event-ID": cursor } : headers;
      const response = await fetch(url, { headers: sent, cache: "no-store", signal: connection.signal });
      if (response.status === 204) return; // it is over, and the cursor is at its end
      if (NOT_NOW.has(response.status)) continue;
      if (!response.ok) throw new Refused(`HTTP ${response.status}: ${await response.text()}`);
      for await (const frame of frames(response.body, connection)) {
        retry = frame.retry ?? retry;
        cursor = frame.id || cursor;
        vain = 0;
        const event = JSON.parse(frame.data);
        yield { ...event, cursor };
        if (ENDINGS.has(event.type)) return;
      }
    } catch (error) {
      if (error instanceof Refused || signal?.aborted) throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      connection.abort();
    }
  }
}

// What a run has said so far, as one text per lane; a chat has the lane "main".
export function fold(texts, event) {
  const { type, lane, text } = event;
  const ending = ["generation.completed", "generation.failed", "generation.cancelled"].includes(type);
  if (type === "generation.delta") texts[lane] = (texts[lane] ?? "") + text;
  else if (type === "generation.restarted") texts[lane] = "";
  else if (type === "generation.snapshot") texts[lane] = text ?? "";
  else if (ending && text !== undefined) texts[lane] = text;
  else if (type === "reset") for (const name of Object.keys(texts)) delete texts[name];
  return texts;
}

class Refused extends Error {}

// Whole events only: half an event at the end of a connection comes again on the next one.
async function* frames(body, connection) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const silence = setTimeout(() => connection.abort(), SILENCE_MS);
    const { value, done } = await reader.read().finally(() => clearTimeout(silence));
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const frame = {};
      for (const line of block.split("\n")) {
        const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
        if (name === "data") frame.data = frame.data === undefined ? value : `${frame.data}\n${value}`;
        else if (name === "id") frame.id = value;
        else if (name === "retry") frame.retry = Number(value);
      }
      if (frame.data !== undefined) yield frame;
    }
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}
