// The documented EventSource snippet with the npm package.

import { EventSource } from "eventsource";

import { fold } from "../../../examples/browser/follow.js";
import { watch } from "../../../examples/browser/watch.js";
import { given, start, tell } from "./io.mjs";

const run = given.run ? `/v1/runs/${given.run}` : `/v1/runs/${(await start({ ...given, url: given.direct })).run_id}`;
const texts = {};
const types = [];
let last;
let at;
const onEvent = (event, cursor) => {
  fold(texts, event);
  types.push(event.type);
  last = event;
  at = cursor;
};
setInterval(() => {}, 1000); // the package's own timer lets a process end that waits for nothing but a reconnect
const status = await new Promise((onOver) =>
  watch(given.url + run, onEvent, { cursor: given.cursor, onOver, Source: EventSource }),
);
tell({ text: texts.main, types, ending: last?.type, error: last?.error, cursor: at, run: last?.run_id, status });
