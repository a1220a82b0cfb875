// A headless Chromium with its own EventSource, on a page of ours.

import { readFile } from "node:fs/promises";

import { chromium } from "playwright-core";

import { given, tell } from "./io.mjs";

const QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const ALONE = ["--disable-component-update", "--disable-sync", "--no-proxy-server"];

const context = await chromium.launchPersistentContext(given.profile, {
  executablePath: given.browser,
  headless: true,
  chromiumSandbox: false,
  args: [...QUIET, ...ALONE],
});
try {
  const page = await context.newPage();
  await page.goto(`${given.url}/healthz`); // it gives the browser the cookie of local mode
  const source = async (name) =>
    `data:text/javascript;base64,${await readFile(new URL(`../../../examples/browser/${name}`, import.meta.url), "base64")}`;
  const modules = { follow: await source("follow.js"), watch: await source("watch.js") };
  const result = await page.evaluate(
    async ({ given, modules }) => {
      const { fold, follow } = await import(modules.follow);
      const { watch } = await import(modules.watch);
      let run = given.run;
      if (!run) {
        const response = await fetch("/v1/conversations/new/messages", {
          method: "POST",
          headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
          body: JSON.stringify({ content: given.prompt, model: given.model }),
        });
        if (response.status !== 202) return { status: response.status, error: await response.text() };
        run = (await response.json()).run_id;
      }
      const texts = {};
      let last;
      const onEvent = (event) => {
        fold(texts, event);
        last = event;
      };
      if (given.how === "fetch") {
        for await (const event of follow(`/v1/runs/${run}/events`)) onEvent(event);
      } else {
        await new Promise((onOver) => watch(`/v1/runs/${run}`, onEvent, { onOver }));
      }
      return { text: texts.main, ending: last?.type, error: last?.error, run };
    },
    { given, modules },
  );
  await context.close();
  tell(result);
} catch (error) {
  await context.close();
  throw error;
}
