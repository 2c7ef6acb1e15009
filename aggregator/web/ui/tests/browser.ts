// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { chromium, type Browser } from "playwright-core";

/** The browser of the system; another one by WATCHROOM_CHROMIUM. */
export function open_browser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.WATCHROOM_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
}
