// playwright-core, as its documentation says to write a journey: locators by label and role, its own waiting.

import { chromium } from "playwright-core";

import { compete } from "./contestant.mjs";

// Chromium keeps only the last `--disable-features`: this is the list of playwright-core 1.65.1 itself, and behind it
// RenderDocument, which is off for all contestants alike.
const DISABLED_FEATURES = [
  "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
  "AvoidCorsURLLoaderRestartOnRedirect", "TcpPortRandomizationWin", "OptimizationHints", "NetworkTimeServiceQuerying",
  "AimEnabled", "PreconnectToSearch", "msForceBrowserSignIn", "msEdgeUpdateLaunchServicesPreferredVersion",
  "RenderDocument",
];

await compete({
  launch: order => chromium.launch({
    executablePath: order.program,
    chromiumSandbox: order.sandbox,
    args: ["--disable-features=" + DISABLED_FEATURES.join(",")],
  }),
  walk: async (browser, order) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    try {
      const page = await context.newPage();
      await page.goto(order.url + "/ingreso");
      await page.getByLabel("Usuario").fill(order.user);
      await page.getByLabel("Clave").fill(order.password);
      await page.getByRole("button", { name: "Ingresar" }).click();
      await page.getByRole("link", { name: "Expedientes" }).click();
      await page.getByLabel("Número de expediente").fill(order.number);
      await page.getByRole("button", { name: "Buscar" }).click();
      await page.locator(`tr[data-numero='${order.number}']`).click();
      await page.getByText(order.goal).waitFor();
    } finally {
      await context.close();
    }
  },
  end: browser => browser.close(),
});
