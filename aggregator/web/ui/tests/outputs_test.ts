// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { expect, test } from "vitest";
import { api, complaints, enter, page, see } from "./desk";

// Outputs are switched in two steps. What the fake refuses is what the aggregator refuses.

const card = (name: string) => page.getByRole("article", { name, exact: true });
const confirm = (to: string) => page.getByRole("button", { name: `确认发出：${to}` });
const cancel = () => page.getByRole("button", { name: "取消" });
const again = () => page.getByRole("button", { name: "重新选定" });

async function sit_down(role: typeof api.role = "shift_lead"): Promise<void> {
  api.role = role;
  if (!api.outputs.all.length) api.outputs.furnish();
  await enter();
  await see("输出");
}

async function wish(name: string, to: string, why = "季度试响"): Promise<void> {
  await card(name).getByRole("button", { name: `操作 ${name}` }).click();
  const form = page.getByRole("form", { name: `操作 ${name}` });
  await form.getByRole("radio", { name: new RegExp(`^${to}`) }).check();
  await form.getByLabel("原因").fill(why);
}

const check = () => page.getByRole("button", { name: "下一步：核对" }).click();

async function select(name: string, to: string): Promise<void> {
  await wish(name, to);
  await check();
  await confirm(to).waitFor();
}

test("ARoomWithoutOutputsHasNoPanelOfThem", async () => {
  api.role = "administrator";
  await enter();
  await expect.poll(() => api.outputs.reads).toBeGreaterThan(0);
  expect(await page.getByRole("heading", { name: "输出" }).count()).toBe(0);
});

test("EveryOutputSaysWhatItDoesAndHowItsLastOrderWent", async () => {
  api.outputs.furnish();
  api.outputs.order("siren", { progress: "overruled", reason: "联动 smoke 触发中" });
  await sit_down("viewer");
  expect(await card("valve").locator(".output-state").innerText()).toBe("开");
  const siren = await card("siren").innerText();
  for (const text of ["一号机房", "hq/room1", "开，保持 10 分钟", "联动或抑制优先", "联动 smoke 触发中", "li", "季度消防演练"])
    expect(siren).toContain(text);
  expect(await card("lamp").innerText()).toContain("采集代理不在线，这是最后所知的状态");
});

test("WithoutTheRightThereIsNothingToSwitchWith", async () => {
  await sit_down("viewer");
  for (const role of ["auditor", "operator"] as const) {
    expect(await page.getByRole("button", { name: /^操作/ }).count()).toBe(0);
    api.role = role;
    await page.reload();
    await card("siren").waitFor();
  }
  expect(await page.getByRole("button", { name: /^操作/ }).count()).toBe(0);
  api.role = "administrator";
  await page.reload();
  await page.getByRole("button", { name: "操作 siren" }).waitFor();
});

test("AnOutputWhoseAgentIsAwayCannotBeSwitched", async () => {
  await sit_down();
  expect(await page.getByRole("button", { name: "操作 siren" }).isEnabled()).toBe(true);
  expect(await page.getByRole("button", { name: "操作 lamp" }).isDisabled()).toBe(true);
});

test("AnOrderNeedsATargetAReasonAndAConfirmationThatSaysWhatWillHappen", async () => {
  await sit_down();
  await card("siren").getByRole("button", { name: "操作 siren" }).click();
  const form = page.getByRole("form", { name: "操作 siren" });
  expect(await form.getByRole("radio", { checked: true }).count()).toBe(0);
  await check();
  await form.getByRole("radio").first().check();
  await check();
  await form.getByLabel("原因").fill("   ");
  await check();
  expect(api.outputs.selections).toBe(0);
  await form.getByLabel("原因").fill("季度试响");
  await form.getByLabel("保持多久").fill("90");
  await form.getByLabel("时间单位").selectOption({ label: "秒" });
  await form.getByLabel("几秒内做到").fill("5");
  await check();
  await confirm("开").waitFor();
  const told = await page.getByRole("group", { name: "请核对：确认后才发出" }).innerText();
  for (const text of ["siren", "一号机房 · hq/room1", "关", "开", "1 分钟 30 秒", "恢复自动", "5 秒内没有做到就放弃", "季度试响", "抑制优先于指令"])
    expect(told).toContain(text);
  expect(api.outputs.orders).toEqual([]);
  await confirm("开").click();
  await card("siren").getByText("已发出").waitFor();
  expect(api.outputs.orders).toEqual(["room1 siren on 90 5 季度试响"]);
});

test("AnOrderIsFollowedUntilItIsDoneAndOver", async () => {
  await sit_down();
  await select("siren", "开");
  await confirm("开").click();
  const siren = card("siren");
  await siren.getByText("已发出").waitFor();
  api.outputs.get_on("siren", "under_way");
  await siren.getByText("已收到，正在执行").waitFor({ timeout: 4_000 });
  api.outputs.change("siren", { state: "on" });
  api.outputs.get_on("siren", "done", { holds_until: new Date(Date.now() + 600_000).toISOString() });
  await siren.getByText("已执行，回读一致").waitFor({ timeout: 4_000 });
  await siren.getByText(/保持到 .*还有 9 分钟/).waitFor();
  expect(await siren.locator(".output-state").innerText()).toBe("开");
  expect(await page.locator("[aria-live=polite]", { hasText: "siren：开，已执行，回读一致" }).count()).toBe(1);
  api.outputs.change("siren", { state: "off" });
  api.outputs.get_on("siren", "ended");
  await siren.getByText("已结束").waitFor();
});

test("AnOrderThatNobodyAnsweredAndOneThatWasGivenUpAreLoud", async () => {
  await sit_down();
  api.outputs.order("siren", { progress: "no_answer", holds_until: null });
  api.outputs.order("valve", { progress: "failed", holds_until: null, reason: "回读为关" });
  await card("siren").locator(".bad", { hasText: "没有答复，不知是否执行" }).waitFor();
  await card("valve").locator(".bad", { hasText: "没有做到，已放弃" }).waitFor();
  expect(await card("valve").innerText()).toContain("回读为关");
});

test("BackToAutomaticAsksForNoTime", async () => {
  await sit_down();
  await wish("valve", "自动");
  expect(await page.getByLabel("保持多久").count()).toBe(0);
  await check();
  await confirm("自动").click();
  await card("valve").getByText("已发出").waitFor();
  expect(api.outputs.orders).toEqual(["room1 valve automatic 600 10 季度试响"]);
});

test("EscapeAndCancelSendNothingAtEitherStep", async () => {
  await sit_down();
  const opener = page.getByRole("button", { name: "操作 siren" });
  await wish("siren", "开");
  await page.keyboard.press("Escape");
  await opener.waitFor();
  expect(await opener.evaluate((button) => button === document.activeElement)).toBe(true);
  await select("siren", "开");
  await page.keyboard.press("Escape");
  await opener.waitFor();
  await select("siren", "开");
  await cancel().click();
  await opener.waitFor();
  expect(api.outputs.selections).toBe(2);
  expect(api.outputs.orders).toEqual([]);
});

test("ADoubleClickAndAKeyHeldDownConfirmNothing", async () => {
  await sit_down();
  await wish("siren", "开");
  for (let times = 0; times < 8; times++) await page.keyboard.press("Enter");
  await confirm("开").waitFor();
  expect(await confirm("开").isDisabled()).toBe(true);
  const place = (await confirm("开").boundingBox())!;
  await page.mouse.dblclick(place.x + place.width / 2, place.y + place.height / 2);
  await page.locator("button:enabled", { hasText: "确认发出：开" }).waitFor();
  for (let times = 0; times < 4; times++) await page.keyboard.press("Enter");
  expect(api.outputs.orders).toEqual([]);
});

test("ASelectionThatRanOutIsToldAndCanBeMadeAnew", async () => {
  await sit_down();
  api.outputs.selection_s = 3;
  await select("siren", "开");
  await see("选定已过期，指令没有发出");
  expect(await confirm("开").count()).toBe(0);
  api.outputs.selection_s = 60;
  await again().click();
  await confirm("开").click();
  await card("siren").getByText("已发出").waitFor();
  expect(api.outputs.orders).toEqual(["room1 siren on 600 10 季度试响"]);
});

test("ARefusedSelectionKeepsWhatWasTypedAndARefusedOrderSaysWhy", async () => {
  await sit_down();
  await wish("siren", "开");
  api.role = "operator"; // taken away meanwhile
  await check();
  await page.getByRole("alert").filter({ hasText: "您无权做这件事" }).waitFor();
  expect(await page.getByLabel("原因").inputValue()).toBe("季度试响");
  api.role = "shift_lead";
  await check();
  await confirm("开").waitFor();
  api.outputs.forget_selections();
  await confirm("开").click();
  await page.getByRole("alert").filter({ hasText: "选定已失效" }).waitFor();
  expect(api.outputs.orders).toEqual([]);
  expect(await again().isEnabled()).toBe(true);
});

test("AnOutputThatChangedMeanwhileIsNotSwitchedBlindly", async () => {
  await sit_down();
  await select("siren", "开");
  await page.locator("button:enabled", { hasText: "确认发出：开" }).waitFor();
  api.outputs.change("siren", { state: "on" });
  await confirm("开").click();
  await page.getByRole("alert").filter({ hasText: "输出的状态已经变了" }).waitFor();
  expect(api.outputs.orders).toEqual([]);
  await again().click();
  await confirm("开").waitFor();
  expect(await page.getByRole("group", { name: "请核对" }).locator("dd .output-state").first().innerText()).toBe("开");
  api.outputs.change("siren", { state: "inhibited" });
  await see("状态已变为“被抑制”");
  expect(await confirm("开").count()).toBe(0);
});

test("AnOrderWhoseAnswerIsLostIsNeitherCalledSentNorUnsent", async () => {
  await sit_down();
  await select("siren", "开");
  api.is_losing_answers = true;
  await confirm("开").click();
  await see("没有收到答复，不知道指令是否已发出");
  await card("siren").locator("section", { hasText: "上次指令" }).getByText("已发出").waitFor();
  expect(api.outputs.orders.length).toBe(1);
});

test("WhatCannotBeReadAnyMoreDoesNotLookCurrent", async () => {
  await sit_down();
  api.is_deaf = true;
  await see("读不到输出的状态");
  await card("siren").and(page.locator(".is-past")).waitFor();
  expect(await page.getByRole("button", { name: "操作 siren" }).isDisabled()).toBe(true);
  api.is_deaf = false;
  await page.locator("button:enabled", { hasText: "操作…" }).first().waitFor();
});

test("NamesAndReasonsOfOutputsStayTextAndReachTheServerWhole", async () => {
  const evil = `<script>alert(1)</script>/%2e?a=b&c#'; DROP TABLE x; --\u202e`;
  page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  api.outputs.add("room1", evil);
  api.outputs.order(evil, { by: evil, comment: `<img src=x onerror="document.title='owned'">`, reason: evil });
  await sit_down();
  await select(evil, "关");
  await confirm("关").click();
  await card(evil).getByText("已发出").waitFor();
  expect(api.outputs.orders.length).toBe(1);
  expect(await page.locator("#page img, #page script").count()).toBe(0);
  expect(await page.title()).not.toBe("owned");
});

test("ALongRowOfOutletsIsFoldedAndTheOneThatIsOnIsShownAllTheSame", async () => {
  for (let outlet = 1; outlet <= 24; outlet++) api.outputs.add("room2", `outlet${outlet}`, outlet === 20 ? { state: "on" } : {});
  await sit_down();
  await card("outlet2").waitFor();
  expect(await card("outlet20").count()).toBe(1);
  expect(await card("outlet19").count()).toBe(0);
  await page.getByRole("button", { name: "展开其余 11 个输出" }).click();
  expect(await card("outlet19").count()).toBe(1);
});

test("NobodyIsAskedWhileThePageIsHidden", async () => {
  await page.clock.install();
  await sit_down();
  const hide = (is_hidden: boolean) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, is_hidden);
  await hide(true);
  const reads = api.outputs.reads;
  await page.clock.runFor(12_000);
  await page.evaluate(() => fetch("api/v1/session"));
  expect(api.outputs.reads).toBe(reads);
  await hide(false);
  await expect.poll(() => api.outputs.reads).toBe(reads + 1);
  await page.clock.runFor(12_000);
  await expect.poll(() => api.outputs.reads).toBeGreaterThan(reads + 1);
});
