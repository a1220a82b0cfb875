// What a driver is given: tasks, as JSON on standard input. What it tells: what came of each, as JSON on standard output.

import { text } from "node:stream/consumers";

const TASK_MS = 60_000;
const AT_ONCE = 3; // of the tasks that need nobody else, so that a small machine is not drowned

export const given = JSON.parse(await text(process.stdin));

export async function perform(actions) {
  const told = {};
  const one = async (task) => {
    try {
      told[task.name] = await Promise.race([actions[task.action](task), tooLong()]);
    } catch (error) {
      told[task.name] = { problem: String(error?.stack ?? error) };
    }
  };
  const calm = given.tasks.filter((task) => !task.together);
  const some = async () => {
    for (let task; (task = calm.shift()); ) await one(task);
  };
  const together = given.tasks.filter((task) => task.together).map(one);
  await Promise.all([...together, ...Array.from({ length: AT_ONCE }, some)]);
  process.stdout.write(`${JSON.stringify(told)}\n`, () => process.exit(0)); // idle connections hold nobody up
}

async function tooLong() {
  await new Promise((resolve) => setTimeout(resolve, TASK_MS));
  throw new Error(`not done after ${TASK_MS} ms`);
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export function headersOf({ token }) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

// A run of ours, begun without a stream.
export async function start(task) {
  const response = await fetch(`${task.direct ?? task.url}/v1/conversations/new/messages`, {
    method: "POST",
    headers: { ...headersOf(task), "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify({ content: task.prompt, model: task.model }),
  });
  if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()).run_id;
}

// Until the newest run of this task's user has ended.
export async function untilEnded(task) {
  for (;;) {
    const response = await fetch(`${task.url}/v1/runs?limit=1`, { headers: headersOf(task) });
    const [run] = response.ok ? (await response.json()).items : [];
    if (run && run.status !== "running") return run.id;
    await pause(50);
  }
}
