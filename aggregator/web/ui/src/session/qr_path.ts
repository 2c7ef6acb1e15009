// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { encode } from "uqr";

// ISO/IEC 18004 asks for four light modules around the symbol.
const quiet = 4;

/** A QR code as one SVG path, in modules: `size` is the side of the picture with its light border. */
export function qr_path(text: string): { size: number; path: string } {
  const { data } = encode(text, { ecc: "M", border: quiet });
  const path = data
    .flatMap((row, y) => row.flatMap((is_dark, x) => (is_dark ? [`M${x} ${y}h1v1h-1z`] : [])))
    .join("");
  return { size: data.length, path };
}
