// What a driver gets (JSON on standard input) and tells (one JSON on standard output).

import { text } from "node:stream/consumers";

export const given = JSON.parse(await text(process.stdin));

export function tell(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0)); // idle connections hold nobody up
}

export async function start({ url, prompt, model }) {
  const response = await fetch(`${url}/v1/conversations/new/messages`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify({ content: prompt, model }),
  });
  if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
  return response.json();
}
