// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { open_browser } from "./browser";
import { FakeApi } from "./fake_api";

// The built page in a real browser before a fake aggregator (see fake_api.ts for what that proves), made anew for
// each test of the file that imports this.

const dist = fileURLToPath(new URL("../dist", import.meta.url));
let browser: Browser;
export let context: BrowserContext;
export let page: Page;
export let api: FakeApi;
export let url: string;
export let complaints: string[];

beforeAll(async () => {
  if (!existsSync(`${dist}/index.html`)) throw new Error("build the page first: npm run build");
  browser = await open_browser();
});
afterAll(() => browser?.close());

beforeEach(async () => {
  api = new FakeApi(dist);
  url = await api.listen();
  context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  page = await context.newPage();
  complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => /Content.Security.Policy|Refused to/i.test(message.text()) && complaints.push(message.text()));
  page.on("request", (request) => !request.url().startsWith(url) && complaints.push(`outside: ${request.url()}`));
});
afterEach(async () => {
  await context.close();
  api.close();
  expect(complaints).toEqual([]);
});

export async function log_in(password = "right"): Promise<void> {
  await page.goto(url);
  await page.fill("[name=username]", "zhang");
  await page.fill("[name=password]", password);
  await page.keyboard.press("Enter");
}

export async function enter(): Promise<void> {
  await log_in();
  await page.waitForSelector("article li .value");
}

export const row = (id: string) => page.locator(`li[title="${id}"]`);
export const see = (text: string) => page.getByText(text).first().waitFor();
