// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { pick, say } from "../text/language.svelte";
import { CallFailed } from "../wire/client";

/** One sentence a person can act on, for any failed call but a log-in's 401. */
export function failure_text(error: unknown): string {
  if (!(error instanceof CallFailed)) return String(error);
  const problem = error.problem;
  const from_server = pick(problem.detail_zh || problem.title_zh, problem.detail || problem.title);
  switch (error.failure) {
    case "unreachable":
      return say("server_unreachable");
    case "unauthorized":
      return say("session_over");
    case "forbidden":
      return say("not_allowed");
    case "throttled":
      return error.retry_after_s ? say("throttled_for", { n: error.retry_after_s }) : say("throttled");
    case "broken":
      return from_server || say("server_failed", { n: error.status });
    case "refused":
      return from_server || say("refused", { n: error.status });
  }
}
