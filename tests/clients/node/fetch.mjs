// The documented snippet with Node's own fetch.

import { fold, follow } from "../../../examples/browser/follow.js";
import { given, start, tell } from "./io.mjs";

const events = given.run ? `/v1/runs/${given.run}/events` : (await start({ ...given, url: given.direct })).events_url;
const texts = {};
const types = [];
let last;
for await (const event of follow(given.url + events, { cursor: given.cursor })) {
  fold(texts, event);
  types.push(event.type);
  last = event;
}
tell({ text: texts.main, types, ending: last?.type, error: last?.error, cursor: last?.cursor, run: last?.run_id });
