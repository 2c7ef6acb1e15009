// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// A person on duty, at a real browser: node duty.mjs PLAYWRIGHT URL USER PASSWORD PICTURE. Says each step on standard
// output when it has been seen on the page; the story makes the room change in between.
const [playwright, url, user, password, picture] = process.argv.slice(2);
const { chromium } = await import(playwright);
const browser = await chromium.launch({
  executablePath: process.env.WATCHROOM_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "zh-CN", viewport: { width: 1600, height: 1000 } });
const page = await context.newPage();
page.setDefaultTimeout(30_000);
page.on("request", (request) => request.url().startsWith(url) || say(`outside ${request.url()}`));
page.on("console", (message) => /Content.Security.Policy|Refused to/i.test(message.text()) && say(`refused ${message.text()}`));

const say = (step) => process.stdout.write(`${step}\n`);
const row = (id) => page.locator(`li[title="${id}"]`);

try {
  await page.goto(url);
  await page.fill("[name=username]", user);
  await page.fill("[name=password]", "not-the-password");
  await page.keyboard.press("Enter");
  await page.getByText("用户名或密码不对").first().waitFor();
  say("refused-wrong-password");
  await page.fill("[name=password]", password);
  await page.keyboard.press("Enter");
  await row("hq/room1/leak1/leak.state").locator(".value", { hasText: "无水" }).waitFor();
  say("room");
  await row("hq/room1/leak1/leak.state").locator(".value", { hasText: "有水" }).waitFor();
  const acknowledge = page.getByRole("button", { name: /^确认 .*漏水/ }).first();
  await acknowledge.waitFor();
  say("alarm");
  await page.screenshot({ path: picture });
  await acknowledge.click();
  await page.keyboard.type("已派人查看");
  await page.keyboard.press("Enter");
  await page.getByText(`${user} 确认`).first().waitFor();
  say("acknowledged");
  await row("hq/room1/leak1/leak.state").locator(".value", { hasText: "—" }).waitFor();
  say("stale");
  await page.getByText(/消息服务器/).filter({ hasText: /未知|断|无法/ }).first().waitFor();
  say("broker-lost");
} finally {
  await browser.close();
}
