// @puppeteer/replay with the recording that Chrome's Recorder makes of the journey.

import { readFileSync } from "node:fs";

import { createRunner, parse, PuppeteerRunnerExtension } from "@puppeteer/replay";
import puppeteer from "puppeteer-core";

import { compete, reached } from "./contestant.mjs";

const RECORDING = readFileSync(new URL("./recording.json", import.meta.url), "utf8");

function recording(order) {
  const values = { SITE: order.url, USER: order.user, PASSWORD: order.password, NUMBER: order.number };
  return parse(JSON.parse(RECORDING.replace(/\{(SITE|USER|PASSWORD|NUMBER)\}/g, (_, name) => values[name])));
}

await compete({
  launch: order => puppeteer.launch({
    executablePath: order.program,
    headless: "shell",
    pipe: true,
    // puppeteer adds these features to its own list.
    args: [
      ...(order.without_features ? [`--disable-features=${order.without_features}`] : []),
      ...(order.sandbox ? [] : ["--no-sandbox"]),
    ],
    defaultViewport: { width: 1280, height: 800 },
  }),
  walk: async (browser, order) => {
    const context = await browser.createBrowserContext();
    try {
      const page = await context.newPage();
      const runner = await createRunner(recording(order), new PuppeteerRunnerExtension(browser, page));
      await runner.run();
      reached(await page.evaluate(() => document.body.innerText), order.goal);
    } finally {
      await context.close();
    }
  },
  end: browser => browser.close(),
});
