// playwright-core, as its documentation says to write a journey: locators by label and role, its own waiting.

import { chromium } from "playwright-core";

import { compete } from "./contestant.mjs";

// Chromium keeps only the last `--disable-features`: what is to be added stands behind playwright-core 1.65.1's own list.
const ITS_OWN = [
  "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
  "AvoidCorsURLLoaderRestartOnRedirect", "TcpPortRandomizationWin", "OptimizationHints", "NetworkTimeServiceQuerying",
  "AimEnabled", "PreconnectToSearch", "msForceBrowserSignIn", "msEdgeUpdateLaunchServicesPreferredVersion",
];

await compete({
  launch: order => chromium.launch({
    executablePath: order.program,
    chromiumSandbox: order.sandbox,
    args: order.without_features ? [`--disable-features=${ITS_OWN},${order.without_features}`] : [],
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
