// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import * as client from "../wire/client";
import { CallFailed } from "../wire/client";
import type { Role, Session } from "../wire/types";

type Stage = "opening" | "unreachable" | "outside" | "new_password" | "inside";

const on_duty: readonly Role[] = ["operator", "shift_lead", "administrator"];
const in_charge: readonly Role[] = ["shift_lead", "administrator"];

/** Who sits in front of the page. The cookie itself is out of reach of scripts. */
class PageSession {
  stage = $state<Stage>("opening");
  who = $state.raw<Session | null>(null);
  /** The last session ended by itself. */
  is_over = $state(false);

  readonly may_acknowledge = $derived(this.who !== null && on_duty.includes(this.who.role));
  readonly may_set_class = $derived(this.who !== null && on_duty.includes(this.who.role));
  readonly may_switch_outputs = $derived(this.who !== null && in_charge.includes(this.who.role));

  async open(): Promise<void> {
    try {
      this.#enter(await client.who_am_i());
    } catch (error) {
      const is_outside = error instanceof CallFailed && error.failure === "unauthorized";
      this.stage = is_outside ? "outside" : "unreachable";
    }
  }

  async log_in(name: string, password: string, code: string): Promise<void> {
    this.#enter(await client.log_in(name, password, code));
  }

  async change_password(before: string, after: string): Promise<void> {
    this.#enter(await client.change_password(before, after));
  }

  async confirm_totp(password: string, code: string): Promise<void> {
    this.#enter(await client.confirm_totp(password, code));
  }

  async stop_totp(password: string, code: string): Promise<void> {
    this.#enter(await client.stop_totp(password, code));
  }

  async log_out(): Promise<void> {
    await client.log_out();
    this.#leave(false);
  }

  lost(): void {
    if (this.stage === "inside" || this.stage === "new_password") this.#leave(true);
  }

  #enter(who: Session): void {
    this.who = who;
    this.is_over = false;
    this.stage = who.must_change_password ? "new_password" : "inside";
  }

  #leave(is_over: boolean): void {
    this.who = null;
    this.is_over = is_over;
    this.stage = "outside";
  }
}

export const session = new PageSession();
