// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Looks at a room with hostile texts in a real browser: node hostile.mjs PLAYWRIGHT URL USER PASSWORD TEXT. Says `shown`
// when the text stands on the page as text, `dialog …` or `element …` when some of it was obeyed.
const [playwright, url, user, password, text] = process.argv.slice(2);
const { chromium } = await import(playwright);
const browser = await chromium.launch({
  executablePath: process.env.WATCHROOM_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await (await browser.newContext({ ignoreHTTPSErrors: true, locale: "zh-CN" })).newPage();
page.setDefaultTimeout(30_000);
const say = (step) => process.stdout.write(`${step}\n`);
page.on("dialog", (dialog) => { say(`dialog ${dialog.message()}`); void dialog.dismiss(); });
page.on("pageerror", (error) => say(`error ${error}`));
try {
  await page.goto(url);
  await page.fill("[name=username]", user);
  await page.fill("[name=password]", password);
  await page.keyboard.press("Enter");
  await page.getByText(text).first().waitFor();
  await page.getByText("DROP TABLE alarm").first().waitFor();
  const planted = await page.locator("#page script, #page img, #page iframe").count();
  if (planted > 0) say(`element ${planted}`);
  say("shown");
} finally {
  await browser.close();
}
