// A `fetch` for the Vercel AI SDK's chat transport that resumes by cursor: after a lost connection the server sends the
// rest of the answer instead of all of it. AI SDK 5.0 from a late patch on goes on with the message it has, and needs
// this; for 6 and 7 say `resumeStreamIsReplay: false` beside it. One for each chat.
//
//   new DefaultChatTransport({ api: "/api/chat", fetch: resumingFetch(), resumeStreamIsReplay: false })

const SETTLE_MS = 100; // what was read before an error is to arrive before the error

export function resumingFetch(fetch = globalThis.fetch) {
  let cursor = null;
  return async (url, options = {}) => {
    const headers = new Headers(options.headers);
    if ((options.method ?? "GET") !== "GET") cursor = null; // another message, another answer
    else if (cursor) headers.set("Last-Event-ID", cursor);
    const response = await fetch(url, { ...options, headers });
    if (!response.ok || !response.body) return response;
    const frames = wholeEvents(response.body, (id) => (cursor = id));
    return new Response(frames, { status: response.status, headers: response.headers });
  };
}

// One event of the log may be several frames; its cursor stands on the last. What comes before is kept back until then.
function wholeEvents(body, onCursor) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const encoder = new TextEncoder();
  let kept = "";
  return new ReadableStream({
    async pull(controller) {
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) {
            if (kept) controller.enqueue(encoder.encode(kept));
            return controller.close();
          }
          kept += value;
          const last = [...kept.matchAll(/(?:^|\n)id: (.+)\n(?:.+\n)+\n/g)].at(-1);
          if (!last) continue;
          const end = last.index + last[0].length;
          controller.enqueue(encoder.encode(kept.slice(0, end)));
          kept = kept.slice(end);
          return onCursor(last[1]);
        }
      } catch (error) {
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
        throw error;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
