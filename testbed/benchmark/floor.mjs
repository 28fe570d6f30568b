// The floor: the least that gets through the journey. The protocol over the pipe and nothing above it, fills and clicks by
// script, no check of anything but the last text; it waits for load events, and for the rows with one observer.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { compete, reached } from "./contestant.mjs";

class Protocol {
  #lastId = 0;
  #answers = new Map();
  #waiting = new Map();
  #rest = "";

  constructor(writes, reads) {
    this.writes = writes;
    reads.setEncoding("utf8");
    reads.on("data", text => {
      const messages = (this.#rest + text).split("\0");
      this.#rest = messages.pop();
      for (const message of messages) {
        this.#take(JSON.parse(message));
      }
    });
    reads.on("close", () => {
      for (const { reject } of [...this.#answers.values(), ...this.#waiting.values()]) {
        reject(new Error("the browser is gone"));
      }
    });
  }

  #take({ id, method, sessionId, result, error }) {
    if (id) {
      const { resolve, reject } = this.#answers.get(id);
      this.#answers.delete(id);
      error ? reject(new Error(error.message)) : resolve(result);
    } else if (method === "Page.loadEventFired") {
      this.#waiting.get(sessionId)?.resolve();
      this.#waiting.delete(sessionId);
    }
  }

  call(method, params = {}, sessionId) {
    const id = ++this.#lastId;
    this.writes.write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    return new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
  }

  loaded(sessionId) {
    return new Promise((resolve, reject) => this.#waiting.set(sessionId, { resolve, reject }));
  }
}

async function launch(order) {
  const profile = mkdtempSync(join(tmpdir(), "vigia-floor-"));
  // `order.arguments` are those of Vigía's own browser.
  const child = spawn(order.program, [...order.arguments, `--user-data-dir=${profile}`], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const ended = new Promise(resolve => child.on("exit", resolve));
  return { protocol: new Protocol(child.stdio[3], child.stdio[4]), child, ended, profile };
}

async function walk({ protocol }, order) {
  const { browserContextId } = await protocol.call("Target.createBrowserContext", { disposeOnDetach: true });
  try {
    const { targetId } = await protocol.call("Target.createTarget", { url: "about:blank", width: 1280, height: 800, browserContextId });
    const { sessionId } = await protocol.call("Target.attachToTarget", { targetId, flatten: true });
    await protocol.call("Page.enable", {}, sessionId);
    const evaluate = async expression => {
      const { result, exceptionDetails } = await protocol.call("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, sessionId);
      if (exceptionDetails) {
        throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      }
      return result.value;
    };
    const fill = (selector, text) => evaluate(`document.querySelector(${JSON.stringify(selector)}).value = ${JSON.stringify(text)}; 0`);
    const click = selector => evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
    const clickAndLoad = async selector => {
      const loaded = protocol.loaded(sessionId);
      await click(selector);
      await loaded;
    };
    const loaded = protocol.loaded(sessionId);
    await protocol.call("Page.navigate", { url: order.url + "/ingreso" }, sessionId);
    await loaded;
    await fill("#usuario", order.user);
    await fill("#clave", order.password);
    await clickAndLoad("#ingresar");
    await clickAndLoad("#expedientes");
    await fill("#numero", order.number);
    await click("#buscar");
    const row = `tr[data-numero='${order.number}']`;
    await evaluate(`new Promise(resolve => {
      const look = () => document.querySelector(${JSON.stringify(row)}) && (observer.disconnect(), resolve(0));
      const observer = new MutationObserver(look);
      observer.observe(document, { childList: true, subtree: true });
      look();
    })`);
    await clickAndLoad(row);
    reached(await evaluate("document.body.innerText"), order.goal);
  } finally {
    await protocol.call("Target.disposeBrowserContext", { browserContextId });
  }
}

async function end({ child, ended, profile }) {
  child.stdio[3].destroy();
  child.kill("SIGKILL");
  await ended;
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}

await compete({ launch, walk, end });
