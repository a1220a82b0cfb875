// The actions of a client of the native routes; `follow(run, task, onEvent, cursor)` is how it reads a run.

import { fold } from "../../../examples/browser/follow.js";
import { headersOf, start } from "./io.mjs";

export function actionsOf(follow, begin = start) {
  async function told(run, task, { cursor, onEvent = () => {} } = {}) {
    const seen = { run, texts: {}, thoughts: "", calls: [], types: [], cursor };
    const take = (event, at) => {
      fold(seen.texts, event);
      if (event.type === "generation.reasoning") seen.thoughts += event.text;
      else seen.thoughts = event.reasoning ?? seen.thoughts; // a snapshot or an ending
      if (event.type === "generation.tool_call") seen.calls.push({ name: event.name, arguments: event.arguments });
      if (event.type.startsWith("generation.") && event.usage) seen.usage = event.usage;
      if (event.type.startsWith("run.")) seen.ending = event;
      seen.types.push(event.type);
      seen.cursor = at;
      onEvent(seen);
    };
    seen.status = await follow(run, task, take, cursor);
    return {
      text: seen.texts.main ?? "",
      reasoning: seen.thoughts,
      calls: seen.calls,
      usage: seen.usage && { input: seen.usage.input_tokens, output: seen.usage.output_tokens },
      ending: seen.ending?.type,
      error: seen.ending?.error?.message,
      cursor: seen.cursor,
      types: seen.types,
      status: seen.status,
      run,
    };
  }
  const send = async (task) => told(await begin(task), task);
  const cancel = (run, task) => fetch(`${task.url}/v1/runs/${run}/cancel`, { method: "POST", headers: headersOf(task) });

  return {
    send,
    fail: send,
    async late(task) {
      const first = await send(task);
      const again = await told(first.run, task);
      const nothing = await told(first.run, task, { cursor: again.cursor });
      return { text: again.text, more: nothing.types };
    },
    async stop(task) {
      const run = await begin(task);
      let asked = false;
      const onEvent = ({ texts }) => {
        if (asked || (texts.main ?? "").length < task.enough) return;
        asked = true;
        cancel(run, task);
      };
      return told(run, task, { onEvent });
    },
    async unknown(task) {
      const run = await begin(task);
      const strange = { ...task, token: task.stranger };
      const status = async (id) => (await told(id, strange).catch((error) => ({ status: error.message }))).status;
      const unknown = await status("chat_0123456789");
      return { unknown, foreign: await status(run) };
    },
  };
}
