// The documented snippet with Node's own fetch.

import { follow } from "../../../examples/browser/follow.js";
import { headersOf, perform } from "./io.mjs";
import { actionsOf } from "./native.mjs";

async function read(run, task, take, cursor) {
  const url = `${task.url}/v1/runs/${run}/events`;
  for await (const event of follow(url, { cursor, headers: headersOf(task) })) take(event, event.cursor);
}

await perform(actionsOf(read));
