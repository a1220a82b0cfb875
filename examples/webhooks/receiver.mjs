// Receives webhooks of AI Studio, and believes only what is signed. A place to begin: docs/webhooks.md.
//
//     npm install standardwebhooks
//     WEBHOOK_SECRET=whsec_… node receiver.mjs 9000
//
// It keeps what it has seen in memory; a real one does so where it keeps everything else.

import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const seen = new Set();

/** Put it where it is worked on later: whoever calls waits for the answer. */
function onEvent({ type, data }) {
  console.log([type, data.run_id ?? "", data.title ?? ""].join(" "));
}

/** The body as it came: the signature is over these bytes, and not over what JSON.parse makes of them. */
async function bodyOf(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function statusOf(request) {
  const body = await bodyOf(request);
  if (body === null) return 413;
  let event;
  try {
    event = webhook.verify(body, request.headers);
  } catch {
    return 401;
  }
  const id = request.headers["webhook-id"];
  if (!seen.has(id)) {
    // a call whose answer was lost is made again, with the same id
    onEvent(event);
    seen.add(id);
  }
  return 204;
}

const server = createServer((request, response) => {
  statusOf(request).then(
    (status) => response.writeHead(status).end(),
    () => request.destroy(),
  );
});
server.listen(Number(process.argv[2] ?? 9000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/`);
});
