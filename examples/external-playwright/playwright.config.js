const { defineConfig } = require('@playwright/test');

module.exports = defineConfig({
  // The robot gives up before the journey's own `timeout` does: only then it can still say why.
  timeout: 30_000,
  globalTimeout: 100_000,
  workers: 1,
  reporter: 'junit',
  use: {
    baseURL: process.env.PORTAL,
    // The newest picture is the journey's screenshot, of good runs too.
    screenshot: 'on',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM,
      // Chromium's sandbox cannot work for root.
      chromiumSandbox: process.getuid() !== 0,
    },
  },
});
