// What all contestants from Node share: the order comes as JSON on stdin, the report goes as JSON to stdout. A contestant
// brings `launch`, which starts the browser, and `walk`, which is one journey in a context of its own.
//
// The clock runs from before the launch to the end of the last run, so that launch and first run count for everybody.

import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

export async function compete({ launch, walk, end }) {
  const order = JSON.parse(readFileSync(0, "utf8"));
  const began = performance.now();
  const browser = await launch(order);
  const runs = [];
  let left = order.runs;
  const slot = async () => {
    while (left-- > 0) {
      const started = performance.now();
      let error = null;
      try {
        await walk(browser, order);
      } catch (thrown) {
        error = String(thrown?.message ?? thrown).split("\n")[0];
      }
      runs.push({ outcome: error ? "failed" : "ok", wall_ms: performance.now() - started, error });
    }
  };
  await Promise.all(Array.from({ length: order.concurrency }, slot));
  const wall = (performance.now() - began) / 1000;
  const own = process.cpuUsage();
  const report = {
    wall_seconds: wall,
    own_cpu_ms_per_journey: (own.user + own.system) / 1000 / order.runs,
    resident_bytes: process.memoryUsage().rss,
    runs,
  };
  await end(browser);
  process.stdout.write(JSON.stringify(report) + "\n");
}

export function reached(text, goal) {
  if (!text.includes(goal)) {
    throw new Error(`the last page does not show \`${goal}\``);
  }
}
