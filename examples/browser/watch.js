// Follows a run with EventSource, which reconnects by itself with the cursor of the last event.
//
//   const stop = watch("/v1/runs/" + id, (event, cursor) => fold(texts, event));
//
// Two things it does not do by itself: it would reconnect after the end as well, so this closes it; and an answer
// that is no stream (429, or 502 of a proxy) makes it give up for good, so this asks why, and opens a new one.

const ENDINGS = ["run.completed", "run.failed", "run.cancelled"];
const TYPES = [
  ...ENDINGS,
  ...["run.created", "run.queued", "reset", "notice"],
  ...["started", "delta", "reasoning", "tool_call", "resumed", "restarted", "snapshot"].map((name) => `generation.${name}`),
  ...["completed", "failed", "cancelled"].map((name) => `generation.${name}`),
];
const NOT_NOW = [429, 502, 503, 504];

export function watch(run, onEvent, options = {}) {
  let { cursor = "" } = options;
  const { onOver = () => {}, Source = globalThis.EventSource, ask = fetch } = options;
  let source;
  let timer;
  let vain = 0;
  const address = () => `${run}/events${cursor ? `?after=${encodeURIComponent(cursor)}` : ""}`;

  function open() {
    source = new Source(address());
    for (const type of TYPES) source.addEventListener(type, take);
    source.onerror = () => source.readyState === Source.CLOSED && look();
  }

  function take(message) {
    vain = 0;
    cursor = message.lastEventId || cursor;
    onEvent(JSON.parse(message.data), cursor);
    if (ENDINGS.includes(message.type)) over();
  }

  async function look() {
    const asking = new AbortController();
    const status = await ask(address(), { signal: asking.signal }).then((response) => response.status, () => 503);
    asking.abort();
    if (status !== 200 && !NOT_NOW.includes(status)) return over(status); // 204: all was told
    timer = setTimeout(open, Math.min(1000 * 2 ** vain++, 30_000) * (0.75 + Math.random() / 2));
  }

  function over(status = 204) {
    stop();
    onOver(status);
  }

  function stop() {
    clearTimeout(timer);
    source.close();
  }

  open();
  return stop;
}
