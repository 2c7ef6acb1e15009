// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import icons from "virtual:favicons";

/** What the browser's tab tells without being looked at: a count, and the worst in words. */
export function mark_tab(count: number, title: string): void {
  document.title = title;
  const href = icons[Math.min(count, icons.length - 1)] ?? "";
  let link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (!link) {
    link = document.createElement("link");
    link.rel = "icon";
    link.type = "image/svg+xml";
    document.head.append(link);
  }
  if (link.href !== href) link.href = href;
}
