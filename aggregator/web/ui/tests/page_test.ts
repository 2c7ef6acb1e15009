// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { expect, test } from "vitest";
import { api, complaints, context, enter, log_in, page, row, see, url } from "./desk";

test("AWrongPasswordIsToldAndTheRightOneOpensTheRoom", async () => {
  await log_in("wrong");
  await see("用户名或密码不对");
  await page.fill("[name=password]", "right");
  await page.keyboard.press("Enter");
  await see("一号机房");
  await see("值班员");
});

test("AThrottledLogInSaysForHowLong", async () => {
  api.is_throttled = true;
  await log_in();
  await page.getByText(/请 (30|29) 秒后再试/).waitFor();
  expect(await page.locator("form button.main").isDisabled()).toBe(true);
});

test("AOneTimeCodeIsAskedForOnlyWhenItIsNeededAndThePasswordIsKept", async () => {
  api.code = "123456";
  await log_in("wrong");
  await see("用户名或密码不对");
  expect(await page.locator("[name=code]").count()).toBe(0);
  await page.fill("[name=password]", "right");
  await page.keyboard.press("Enter");
  await see("此用户登录需要验证码");
  await page.fill("[name=code]", "000000");
  await page.keyboard.press("Enter");
  await see("验证码错误");
  await page.getByRole("button", { name: "English" }).click();
  await see("The code is wrong");
  await page.fill("[name=code]", "123456");
  await page.keyboard.press("Enter");
  await page.waitForSelector("article li .value");
});

test("APasswordThatMustBeChangedComesBeforeTheRoom", async () => {
  api.must_change_password = true;
  await log_in();
  await see("请设置自己的密码");
  const fill = async (before: string, after: string, again: string) => {
    await page.fill("[name=old-password]", before);
    await page.fill("[name=new-password]", after);
    await page.fill("[name=new-password-again]", again);
    await page.keyboard.press("Enter");
  };
  await fill("right", "a new password", "another password");
  await see("两次输入的新密码不一致");
  await fill("wrong", "a new password", "a new password");
  await see("当前密码不对");
  await page.getByRole("button", { name: "English" }).click();
  await see("Set a password of your own");
  await page.reload();
  await see("Set a password of your own");
  await fill("right", "a new password", "a new password");
  await page.waitForSelector("article li .value");
});

test("AnUnreachableServerIsNotAWrongPassword", async () => {
  await page.goto(url);
  await page.waitForSelector("[name=password]");
  api.is_deaf = true;
  await page.fill("[name=username]", "zhang");
  await page.fill("[name=password]", "right");
  await page.keyboard.press("Enter");
  await see("连不上监控中心");
});

test("AStaleValueIsADashWithItsReasonAndTheOldValueStruckOut", async () => {
  await enter();
  const stale = row("hq/room2/ups2/battery.charge");
  expect(await stale.locator(".value").innerText()).toBe("—");
  expect(await stale.locator("s").innerText()).toBe("98 %");
  expect(await stale.innerText()).toContain("设备没有应答");
  expect(await row("hq/room1/th1/ambient.temperature").locator(".value").innerText()).toMatch(/^23\.\d+\s*°C$/);
});

test("AgesGoOnCounting", async () => {
  await enter();
  api.room.spoil("hq/room1/th1/ambient.temperature", "stale", "测试", "test", 30);
  api.push_all();
  const age = row("hq/room1/th1/ambient.temperature").locator(".last");
  await age.filter({ hasText: "31 秒前" }).waitFor();
  await age.filter({ hasText: "33 秒前" }).waitFor();
});

test("AlarmsStandInOrderAndAreAcknowledgedWithAComment", async () => {
  await enter();
  const titles = page.locator(".alarm-panel h3");
  expect(await titles.allInnerTexts()).toEqual(["北侧水浸 有水", "热通道温度过高", "钢瓶 3 压力偏低", "UPS B 没有数据"]);
  expect(await page.title()).toContain("(3) 紧急");
  expect(await page.locator("link[rel=icon]").getAttribute("href")).toContain("favicon-3");
  await page.getByRole("button", { name: "确认 北侧水浸 有水" }).click();
  await page.keyboard.type("已派人查看");
  await page.keyboard.press("Enter");
  await see("zhang 确认");
  expect(api.acknowledged).toEqual([{ id: 7, comment: "已派人查看" }]);
  expect((await titles.allInnerTexts())[0]).toBe("热通道温度过高");
  expect(await page.title()).toContain("(2) 重要");
});

test("AViewerSeesAlarmsButNoButtonToAcknowledgeThem", async () => {
  api.role = "viewer";
  await enter();
  await see("热通道温度过高");
  expect(await page.getByRole("button", { name: /^确认/ }).count()).toBe(0);
});

test("AnOperatorAsksForAnotherClassAndSeesWhatBecameOfIt", async () => {
  await enter();
  const card = page.locator("[id='device-hq/room1/meter1']");
  const select = card.getByLabel("总配电柜电表 的等级");
  expect(await select.inputValue()).toBe("key");
  await select.selectOption("core");
  await card.getByText("现为关键，已下发核心，等待生效").waitFor();
  expect(api.classes).toEqual(["hq/room1/meter1 core"]);
  api.room.change_device("hq/room1/meter1", { class: "core", class_wanted: null, class_request: "none", poll_interval_ms: 1_000 });
  api.push_all();
  await card.getByText("（配置文件：关键）").waitFor();
  expect(await select.inputValue()).toBe("core");
  api.room.change_device("hq/room1/meter1", { class_wanted: "general", class_request: "not_carried_out" });
  api.push_all();
  await card.getByText("改为一般未能生效").waitFor();
});

test("AClassThatCannotBeAskedForFallsBackWithTheReason", async () => {
  api.is_refusing_classes = true;
  await enter();
  const card = page.locator("[id='device-hq/room1/meter1']");
  await card.getByLabel("总配电柜电表 的等级").selectOption("general");
  await card.getByRole("alert").waitFor();
  expect(await card.getByLabel("总配电柜电表 的等级").inputValue()).toBe("key");
});

test("AViewerSeesClassesButCannotChangeThem", async () => {
  api.role = "viewer";
  await enter();
  await see("总配电柜电表");
  expect(await page.locator("main select").count()).toBe(0);
  expect(await page.locator("[id='device-hq/room1/meter1']").innerText()).toContain("关键");
});

test("WhatAnAgentTellsAboutItselfIsNoDeviceOfTheRoom", async () => {
  const self = { id: "self", name: "room1", maker: "Watchroom", model: "agent", class: "general", communication: "ok" as const, is_self: true };
  api.room.agents[0]!.devices!.push(self);
  await enter();
  const card = page.locator("[id='device-hq/room1/self']");
  expect(await card.locator("h3").innerText()).toBe("采集代理自身");
  expect(await card.locator("select").count()).toBe(0);
});

test("AValueOfAnUntrustedClockStandsAndSaysSo", async () => {
  const id = "hq/room1/th1/ambient.temperature";
  api.room.points.set(id, { ...api.room.points.get(id)!, quality: "clock_unsure", quality_reason_zh: "采集代理的时钟不可信" });
  await enter();
  expect(await row(id).locator(".value").innerText()).toMatch(/^23\.\d+\s*°C$/);
  expect(await row(id).innerText()).toContain("时钟不可信");
});

test("AnAlarmThatAProfileAsksForSaysSo", async () => {
  api.room.alarms[0]!.origin = "profile";
  await enter();
  await page.locator("#alarm-7").getByText("设备模板").waitFor();
});

test("TheHistoryShowsAlarmsThatAreOver", async () => {
  await enter();
  await page.getByRole("tab", { name: "历史" }).click();
  await see("UPS A 转电池供电");
  await see("已结束");
});

test("ALostFeedIsLoudAndNothingLooksLive", async () => {
  await enter();
  api.is_deaf = true;
  api.drop_streams();
  await see("与监控中心的连接已中断");
  await row("hq/room1/th1/ambient.temperature").and(page.locator(".frozen")).waitFor();
  expect(await page.locator("main li.live").count()).toBe(0);
  expect(await page.locator(".state.online").count()).toBe(0);
  expect(await page.title()).toContain("⚠");
  api.is_deaf = false;
  await page.locator("main li.live").first().waitFor({ timeout: 20_000 });
  expect(await page.getByRole("heading", { name: "与监控中心的连接已中断" }).count()).toBe(0);
});

test("AStuckCoreIsLoudAndNothingLooksLive", async () => {
  await enter();
  api.room.core_age_s = 6;
  api.push_all();
  await see("监控中心没有响应");
  await page.locator("main li.live").first().waitFor({ state: "detached" });
  expect(await page.locator(".state.online").count()).toBe(0);
  api.room.core_age_s = 0.5;
  api.push_all();
  await page.locator("main li.live").first().waitFor();
});

test("ADiskThatRefusesAndAFullQueueAreTold", async () => {
  await enter();
  api.room.store = "failing";
  api.room.queue = 90;
  api.push_all();
  await see("监控中心的磁盘拒绝写入");
  await see("排队 90 / 100 条");
});

test("WithoutTheBrokerAgentsAreUnknownAndNotOffline", async () => {
  await enter();
  api.room.lose_broker();
  api.push_all();
  await see("采集代理状态未知，并不是离线");
  await page.locator("main li.live").first().waitFor({ state: "detached" });
  expect(await page.locator(".state.offline").count()).toBe(0);
  expect(await page.locator(".state.unknown").count()).toBe(3);
});

test("TheSearchAndTheAbnormalSwitchNarrowTheRoom", async () => {
  await enter();
  await page.keyboard.press("/");
  await page.keyboard.type("机柜 插座");
  await see("显示 24 / 50 个测点");
  await page.keyboard.press("Escape");
  await page.getByRole("switch").check();
  await see("显示 6 / 50 个测点");
});

test("EnglishIsRemembered", async () => {
  await enter();
  await page.getByRole("button", { name: "English" }).click();
  await see("Ambient temperature");
  await page.reload();
  await see("Ambient temperature");
  expect(await page.locator("html").getAttribute("lang")).toBe("en");
});

test("StringsOfDevicesStayText", async () => {
  const evil = `<img src="${"x"}" onerror="document.title='owned'"><script>alert(1)</script>'; DROP TABLE alarm; --\u202e\u0007`;
  page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  const point = [...api.room.points.values()][0]!;
  api.room.points.set(point.id, { ...point, label_zh: evil, unit_symbol: evil, state_zh: evil, device_name: evil, maker: evil });
  api.room.alarms[0]!.title_zh = evil;
  await enter();
  await see("onerror");
  expect(await page.locator("#page img, #page script").count()).toBe(0);
  expect(await page.title()).not.toBe("owned");
});

test("AnEndedSessionLeadsToTheLogInForm", async () => {
  await enter();
  await context.clearCookies();
  api.drop_streams();
  await see("登录已过期");
  await see("值守已中断");
  expect(await page.title()).toContain("⚠");
});

test("SoundStartsOffAndAWishForItIsRememberedUntilTheNextClick", async () => {
  await enter();
  await page.getByRole("button", { name: "声音：关" }).click();
  await see("声音：开");
  await page.reload();
  await see("声音被浏览器挡住");
  await page.getByRole("heading", { name: "一号机房" }).click();
  await see("声音：开");
  await page.getByRole("button", { name: "声音：开" }).click();
  await see("声音：关");
});

test("LoggingOutEndsTheView", async () => {
  await enter();
  await page.getByRole("button", { name: "退出" }).click();
  await page.waitForSelector("[name=password]");
  await page.reload();
  await page.waitForSelector("[name=password]");
});

test("OneTimeCodesAreTurnedOnWithAPictureAndACodeAndOffAgain", async () => {
  await enter();
  const panel = page.locator("[data-own-codes]");
  await page.getByRole("button", { name: "一次性验证码" }).click();
  await panel.getByText("未启用").waitFor();
  await panel.getByRole("button", { name: "启用…" }).click();
  expect(await panel.locator("[data-secret]").textContent()).toBe("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
  expect(await panel.locator("svg path").getAttribute("d")).toMatch(/^M4 4h1v1h-1z/);
  const prove = async (password: string, code: string) => {
    await panel.locator("[name=codes-password]").fill(password);
    await panel.locator("[name=codes-code]").fill(code);
    await page.keyboard.press("Enter");
  };
  await prove("wrong", "123456");
  await panel.getByText("当前密码不对").waitFor();
  await prove("right", "000000");
  await panel.getByText("验证码错误").waitFor();
  expect(api.has_totp).toBe(false);
  await prove("right", "123456");
  await panel.getByText("已启用，下次登录需要验证码").waitFor();
  expect(api.has_totp).toBe(true);
  expect(await panel.locator("[data-secret]").count()).toBe(0);
  await panel.getByRole("button", { name: "关闭" }).click();
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("button", { name: "One-time codes" }).click();
  await panel.getByText("If the telephone is lost").waitFor();
  await prove("right", "123456");
  await panel.getByText("Off: log-ins need the password only").waitFor();
  expect(api.has_totp).toBe(false);
});
