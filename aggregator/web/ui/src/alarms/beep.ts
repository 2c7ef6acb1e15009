// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import type { Severity } from "../wire/types";

/** A pattern of tones: pitch in Hz, how often, and after how long it starts over. */
export interface Pattern {
  pitch_hz: number;
  beeps: number;
  beep_s: number;
  again_s: number;
}

// Higher, more and sooner means worse, after the idea of IEC 60601-1-8 that urgency is told by
// the number of pulses and their pace.
export const patterns: Record<Severity, Pattern> = {
  critical: { pitch_hz: 988, beeps: 5, beep_s: 0.14, again_s: 3 },
  major: { pitch_hz: 784, beeps: 3, beep_s: 0.18, again_s: 6 },
  minor: { pitch_hz: 587, beeps: 2, beep_s: 0.2, again_s: 15 },
  warning: { pitch_hz: 440, beeps: 1, beep_s: 0.25, again_s: 30 },
};

export function play(audio: AudioContext, pattern: Pattern): void {
  for (let index = 0; index < pattern.beeps; index++) {
    const begin = audio.currentTime + index * pattern.beep_s * 1.6;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.type = "triangle";
    tone.frequency.value = pattern.pitch_hz;
    volume.gain.setValueAtTime(0, begin);
    volume.gain.linearRampToValueAtTime(0.5, begin + 0.015);
    volume.gain.setValueAtTime(0.5, begin + pattern.beep_s - 0.02);
    volume.gain.linearRampToValueAtTime(0, begin + pattern.beep_s);
    tone.connect(volume).connect(audio.destination);
    tone.start(begin);
    tone.stop(begin + pattern.beep_s);
  }
}
