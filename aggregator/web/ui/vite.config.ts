// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { favicons } from "./favicons";

export default defineConfig({
  // Relative, so that the page also works behind a reverse proxy that adds a path prefix.
  base: "./",
  plugins: [svelte(), favicons()],
  build: {
    target: "es2021",
    // A data: URL would need an exception in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
  server: {
    proxy: {
      "/api": { target: process.env.WATCHROOM_URL ?? "https://127.0.0.1:8443", secure: false },
    },
  },
  test: { include: ["**/*_test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
});
