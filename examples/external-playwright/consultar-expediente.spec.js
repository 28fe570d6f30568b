// Each test is a step of one journey: they share a page, follow each other, and stop at the first that fails.
const { test, expect } = require('@playwright/test');

test.describe.configure({ mode: 'serial' });

let page;

test.beforeAll(async ({ browser, baseURL }) => {
  page = await browser.newPage({ baseURL });
});

test('Ingresar', async () => {
  await page.goto('/ingreso');
  await page.getByLabel('Usuario').fill('robot');
  await page.getByLabel('Clave').fill(process.env.CLAVE);
  await page.getByRole('button', { name: 'Ingresar' }).click();
  await expect(page.getByText('Bienvenido')).toBeVisible();
});

test('Buscar expediente', async () => {
  await page.getByRole('link', { name: 'Expedientes' }).click();
  await page.getByLabel('Número de expediente').fill('2026-004512');
  await page.getByRole('button', { name: 'Buscar expediente' }).click({ timeout: 10_000 });
  await expect(page.getByText('1 expediente con el número 2026-004512')).toBeVisible();
});

test('Ver detalle', async () => {
  await page.getByRole('link', { name: 'Ver detalle' }).click();
  await expect(page.getByText('Estado del trámite')).toBeVisible();
});
