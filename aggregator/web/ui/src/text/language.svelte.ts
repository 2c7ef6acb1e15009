// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { say_in, word_or, type Language, type Word } from "./words";

const key = "watchroom.language";

function remembered(): Language {
  try {
    return localStorage.getItem(key) === "en" ? "en" : "zh";
  } catch {
    return "zh"; // storage may be forbidden by policy
  }
}

class Tongue {
  #now = $state<Language>(remembered());

  get now(): Language {
    return this.#now;
  }

  switch(): void {
    this.#now = this.#now === "zh" ? "en" : "zh";
    this.announce();
    try {
      localStorage.setItem(key, this.#now);
    } catch {
      // only the memory is lost
    }
  }

  announce(): void {
    document.documentElement.lang = this.#now === "zh" ? "zh-CN" : "en";
  }
}

export const language = new Tongue();

export const say = (word: Word, blanks?: Record<string, string | number>) => say_in(language.now, word, blanks);
export const say_state = (stem: string, part: string | null | undefined) => word_or(language.now, stem, part);

/** The one of two server texts that fits, or the other when it is empty. */
export function pick(zh: string | null | undefined, en: string | null | undefined): string {
  return (language.now === "zh" ? zh || en : en || zh) ?? "";
}
