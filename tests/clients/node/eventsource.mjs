// The documented EventSource snippet with the npm package, which is told who we are by a fetch of its own.

import { EventSource } from "eventsource";

import { watch } from "../../../examples/browser/watch.js";
import { headersOf, perform } from "./io.mjs";
import { actionsOf } from "./native.mjs";

setInterval(() => {}, 1000); // the package's own timer lets a process end that waits for nothing but a reconnect

function read(run, task, take, cursor) {
  const asUs = (url, init) => fetch(url, { ...init, headers: { ...init?.headers, ...headersOf(task) } });
  class Source extends EventSource {
    constructor(url) {
      super(url, { fetch: asUs });
    }
  }
  return new Promise((onOver) => watch(`${task.url}/v1/runs/${run}`, take, { cursor, onOver, Source, ask: asUs }));
}

await perform(actionsOf(read));
