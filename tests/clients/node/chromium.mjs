// A headless Chromium with its own EventSource, on a page of ours: each task has a page.

import { readFile } from "node:fs/promises";

import { chromium } from "playwright-core";

import { given, perform } from "./io.mjs";
import { actionsOf } from "./native.mjs";

const QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const ALONE = ["--disable-component-update", "--disable-sync", "--no-proxy-server"];

const context = await chromium.launchPersistentContext(given.profile, {
  executablePath: given.browser,
  headless: true,
  chromiumSandbox: false,
  args: [...QUIET, ...ALONE],
});

const snippet = async (name) =>
  `data:text/javascript;base64,${await readFile(new URL(`../../../examples/browser/${name}`, import.meta.url), "base64")}`;
const watching = await snippet("watch.js");

async function read(run, task, take, cursor) {
  const page = await context.newPage();
  try {
    await page.goto(`${task.url}/healthz`); // it gives the browser the cookie of local mode
    await page.exposeFunction("take", take);
    return await page.evaluate(
      async ({ run, cursor, watching }) => {
        const { watch } = await import(watching);
        const taken = [];
        const onEvent = (event, at) => taken.push(take(event, at));
        const status = await new Promise((onOver) => watch(`/v1/runs/${run}`, onEvent, { cursor, onOver }));
        await Promise.all(taken);
        return status;
      },
      { run, cursor, watching },
    );
  } finally {
    await page.close();
  }
}

await perform(actionsOf(read));
