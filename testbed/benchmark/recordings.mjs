// Plays recordings by @puppeteer/replay, one after the other, each as a new user. On stdin it is told what to start and
// what to play; on stdout it says what became of each.

import { readFileSync } from "node:fs";

import { createRunner, parse, PuppeteerRunnerExtension } from "@puppeteer/replay";
import puppeteer from "puppeteer-core";

const { program, sandbox, recordings } = JSON.parse(readFileSync(0, "utf8"));

async function play(browser, recording) {
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    const runner = await createRunner(parse(recording), new PuppeteerRunnerExtension(browser, page));
    await runner.run();
    return null;
  } catch (error) {
    return String(error);
  } finally {
    await context.close();
  }
}

const browser = await puppeteer.launch({
  executablePath: program,
  headless: "shell",
  pipe: true,
  // The frames of another site are targets of their own, as they are in a browser with a window.
  args: ["--site-per-process", ...(sandbox ? [] : ["--no-sandbox"])],
  defaultViewport: { width: 1280, height: 800 },
});
try {
  const results = [];
  for (const recording of recordings) results.push({ title: recording.title, error: await play(browser, recording) });
  console.log(JSON.stringify(results));
} finally {
  await browser.close();
}
