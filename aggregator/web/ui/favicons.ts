// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import type { Plugin } from "vite";

const name = "virtual:favicons";
const resolved = "\0" + name;
const most = 9;

/** Icon 0 is calm; icon n carries the number n, and the last one means "more than that". */
function draw(count: number): string {
  const text = count > most ? `${most}+` : String(count);
  const badge = count
    ? `<rect width="64" height="64" rx="14" fill="#c8102e"/>` +
      `<text x="32" y="48" text-anchor="middle" font-family="sans-serif" font-weight="700" ` +
      `font-size="${text.length > 1 ? 38 : 48}" fill="#fff">${text}</text>`
    : `<rect width="64" height="64" rx="14" fill="#0b6e7f"/>` +
      `<path d="M12 36h10l6-16 9 26 6-14h9" fill="none" stroke="#fff" stroke-width="6" ` +
      `stroke-linejoin="round" stroke-linecap="round"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">${badge}</svg>`;
}

/**
 * Makes the favicons files of the bundle. Drawing them in the page would give data: URLs,
 * which `img-src 'self'` refuses.
 */
export function favicons(): Plugin {
  let is_build = false;
  return {
    name: "favicons",
    configResolved: (config) => void (is_build = config.command === "build"),
    resolveId: (id) => (id === name ? resolved : undefined),
    load(id) {
      if (id !== resolved) return undefined;
      const urls = Array.from({ length: most + 2 }, (_, count) => {
        if (!is_build) return JSON.stringify("data:image/svg+xml," + encodeURIComponent(draw(count)));
        const file = this.emitFile({ type: "asset", name: `favicon-${count}.svg`, source: draw(count) });
        return `import.meta.ROLLUP_FILE_URL_${file}`;
      });
      return `export default [${urls.join(",")}];`;
    },
  };
}
