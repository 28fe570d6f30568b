// The floor: it tells browser, contexts and sessions what Vigía tells them, over the same pipe, and has nothing above that. One
// call for each fill and click, by script, no check of anything but the last text; it waits for load events, and for the rows
// with one observer. The bare floor leaves out what Vigía's calls are for: what the page asks the network for, its frames, a
// world of one's own.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { compete, reached } from "./contestant.mjs";

class Protocol {
  #lastId = 0;
  #answers = new Map();
  #waiting = new Map();
  #worlds = new Map();
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

  #take({ id, method, params, sessionId, result, error }) {
    if (id) {
      const { resolve, reject } = this.#answers.get(id);
      this.#answers.delete(id);
      error ? reject(new Error(error.message)) : resolve(result);
    } else if (method === "Page.loadEventFired") {
      this.#happened(sessionId);
    } else if (method === "Runtime.executionContextCreated") {
      this.#worlds.set(`${params.context.name} of ${sessionId}`, params.context.id);
    } else if (method === "Target.attachedToTarget") {
      this.#happened(params.targetInfo.browserContextId, params.sessionId);
    }
  }

  #happened(to, result) {
    this.#waiting.get(to)?.resolve(result);
    this.#waiting.delete(to);
  }

  call(method, params = {}, sessionId) {
    const id = ++this.#lastId;
    this.writes.write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    return new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
  }

  // The one of this name in the document that a session shows.
  world(sessionId, name) {
    return this.#worlds.get(`${name} of ${sessionId}`);
  }

  // The next load of a session, or the session of a context's tab.
  next(of) {
    return new Promise((resolve, reject) => this.#waiting.set(of, { resolve, reject }));
  }
}

const attachTo = type => ({ autoAttach: true, waitForDebuggerOnStart: true, flatten: true, filter: [{ type }] });

// What the browser, each session and each context are told, and the world that pages are asked in.
const FLOORS = {
  // As Vigía tells them, but that its script is empty.
  floor: {
    browser: [
      ["Target.setAutoAttach", attachTo("page")],
      ["Target.setDiscoverTargets", { discover: true, filter: [{ type: "page" }] }],
    ],
    session: [
      ["Page.enable"],
      ["Network.enable", { maxTotalBufferSize: 0, maxResourceBufferSize: 0, maxPostDataSize: 0 }],
      ["Runtime.enable"],
      ["Emulation.setFocusEmulationEnabled", { enabled: true }],
      ["Runtime.addBinding", { name: "floorTell", executionContextName: "floor" }],
      ["Page.addScriptToEvaluateOnNewDocument", { source: "", worldName: "floor" }],
      ["Target.setAutoAttach", attachTo("iframe")],
      ["Runtime.runIfWaitingForDebugger"],
    ],
    context: browserContextId => [["Browser.setDownloadBehavior", { behavior: "deny", browserContextId, eventsEnabled: true }]],
    world: "floor",
  },
  // The least that gets through the journey.
  bare: {
    browser: [["Target.setAutoAttach", { ...attachTo("page"), waitForDebuggerOnStart: false }]],
    session: [["Page.enable"], ["Runtime.enable"]],
    context: () => [],
    world: "",
  },
};

async function launch(order) {
  const profile = mkdtempSync(join(tmpdir(), "vigia-floor-"));
  // `order.arguments` are those of Vigía's own browser.
  const child = spawn(order.program, [...order.arguments, `--user-data-dir=${profile}`], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const ended = new Promise(resolve => child.on("exit", resolve));
  const protocol = new Protocol(child.stdio[3], child.stdio[4]);
  const told = FLOORS[order.contestant];
  await Promise.all(told.browser.map(([method, params]) => protocol.call(method, params)));
  return { protocol, told, child, ended, profile };
}

async function walk({ protocol, told }, order) {
  const { browserContextId } = await protocol.call("Target.createBrowserContext", { disposeOnDetach: true });
  try {
    const attached = protocol.next(browserContextId);
    const created = protocol.call("Target.createTarget", { url: "about:blank", width: 1280, height: 800, browserContextId });
    const sessionId = await attached;
    await Promise.all([created, ...told.session.map(([method, params]) => protocol.call(method, params, sessionId))]);
    await Promise.all(told.context(browserContextId).map(([method, params]) => protocol.call(method, params)));
    const page = async (functionDeclaration, ...values) => {
      const { result, exceptionDetails } = await protocol.call("Runtime.callFunctionOn", {
        functionDeclaration,
        executionContextId: protocol.world(sessionId, told.world),
        arguments: values.map(value => ({ value })),
        awaitPromise: true,
        returnByValue: true,
      }, sessionId);
      if (exceptionDetails) {
        throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      }
      return result.value;
    };
    const fill = (selector, text) => page("(selector, text) => { document.querySelector(selector).value = text }", selector, text);
    const click = selector => page("selector => document.querySelector(selector).click()", selector);
    const clickAndLoad = async selector => {
      const loaded = protocol.next(sessionId);
      await click(selector);
      await loaded;
    };
    const loaded = protocol.next(sessionId);
    await protocol.call("Page.navigate", { url: order.url + "/ingreso" }, sessionId);
    await loaded;
    await fill("#usuario", order.user);
    await fill("#clave", order.password);
    await clickAndLoad("#ingresar");
    await clickAndLoad("#expedientes");
    await fill("#numero", order.number);
    await click("#buscar");
    const row = `tr[data-numero='${order.number}']`;
    await page(`selector => new Promise(resolve => {
      const look = () => document.querySelector(selector) && (observer.disconnect(), resolve());
      const observer = new MutationObserver(look);
      observer.observe(document, { childList: true, subtree: true });
      look();
    })`, row);
    await clickAndLoad(row);
    reached(await page("() => document.body.innerText"), order.goal);
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
